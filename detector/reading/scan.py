"""The compiled pass over a text: its salient values, each as a keyed hash of 32 bits.

A text is read in lower case, without `-` and `_`; all but letters, digits, `.`, `@`, `/` and `+` is a blank, and
JSON's escapes are, so that a value reads the same everywhere. What stands between blanks, without dots and
slashes at its ends, is a word; a word that is more than letters is a value. The hash is SipHash-1-3 (Aumasson
and Bernstein, 2012), a keyed function made for short words.
"""

# ruff: noqa: C901, PLR0915, SIM110 - compiled code has no objects and no generators
from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint32]
Keys = NDArray[np.uint64]
Places = NDArray[np.int32]

HASH_BYTES = 4
MAX_FOUND = 256
"""Values of a text among which the foremost are chosen."""
MIN_LENGTH = 3
ID_LENGTH = 9
"""From which on a value is rather an identifier than an amount or a time."""
MAX_FORMS = 4
"""Other forms of a value that count: its file's name, the folders above it, its host."""

FORM, ADDRESS, OTHER = 0, 1, 2
"""How a value of a call's aims begins: a further form of the one before it, an address or account, anything else."""

_BLANK, _ODD = 32, 1
"""What bounds words, and what may be more than it looks: an escape, or a `://`."""
_PLUS, _DOT, _SLASH, _ZERO, _NINE, _AT, _A, _U, _W, _BACKSLASH = b"+./09@auw\\"


def _compiled(function: Any) -> Any:
    return numba.njit(cache=True, nogil=True)(function)


def _table() -> Bytes:
    """What a byte of a text reads as; 0: nothing."""
    table = np.full(256, _BLANK, dtype=np.uint8)
    for code in b"abcdefghijklmnopqrstuvwxyz0123456789.@/+":
        table[code] = code
        table[ord(chr(code).upper())] = code
    for code in b"-_":
        table[code] = 0
    for code in b"\\:":
        table[code] = _ODD
    return table


TABLE = _table()
DOMAINS = np.array(
    [
        int.from_bytes(label.encode(), "big")
        for label in (
            "com net org edu gov int io dev app co ai info biz me tv xyz cloud site online shop store page link top"
            " tech us uk eu de fr nl es it ch at se no pl ru ua cn jp kr in br au ca za tk ml"
        ).split()
    ],
    dtype=np.uint64,
)
"""Last labels by which a host is known that neither `www.` nor `://` stands before, packed."""


@_compiled
def _siphash(text: Bytes, begin: int, end: int, k0: np.uint64, k1: np.uint64) -> np.uint64:
    v0, v1 = k0 ^ np.uint64(0x736F6D6570736575), k1 ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = k0 ^ np.uint64(0x6C7967656E657261), k1 ^ np.uint64(0x7465646279746573)
    length, at, word = end - begin, begin, np.uint64(0)
    last = length // 8
    # A round for each eight bytes, the last of them with the length, and three that finish.
    for block in range(last + 4):
        if block <= last:
            word, shift = np.uint64(0), np.uint64(0)
            while at < end and at < begin + 8 * block + 8:
                word |= np.uint64(text[at]) << shift
                shift += np.uint64(8)
                at += 1
            if block == last:
                word |= np.uint64(length & 0xFF) << np.uint64(56)
            v3 ^= word
        elif block == last + 1:
            v2 ^= np.uint64(0xFF)
        v0 += v1
        v1 = ((v1 << np.uint64(13)) | (v1 >> np.uint64(51))) ^ v0
        v0 = (v0 << np.uint64(32)) | (v0 >> np.uint64(32))
        v2 += v3
        v3 = ((v3 << np.uint64(16)) | (v3 >> np.uint64(48))) ^ v2
        v0 += v3
        v3 = ((v3 << np.uint64(21)) | (v3 >> np.uint64(43))) ^ v0
        v2 += v1
        v1 = ((v1 << np.uint64(17)) | (v1 >> np.uint64(47))) ^ v2
        v2 = (v2 << np.uint64(32)) | (v2 >> np.uint64(32))
        if block <= last:
            v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3


@_compiled
def siphash(data: Bytes, keys: Keys) -> int:
    """SipHash-1-3 of `data` under two keys, 64 bits."""
    hashed: int = _siphash(data, 0, data.shape[0], keys[0], keys[1])
    return hashed


@_compiled
def _hash(text: Bytes, begin: int, end: int, keys: Keys) -> np.uint32:
    return np.uint32(_siphash(text, begin, end, keys[0], keys[1]) & np.uint64(0xFFFFFFFF))


@_compiled
def _is_value(plain: Bytes, begin: int, end: int) -> bool:
    """Whether a word is more than letters, and long enough."""
    if end - begin < MIN_LENGTH:
        return False
    for at in range(begin, end):
        if plain[at] < _A:
            return True
    return False


@_compiled
def _bare(plain: Bytes, begin: int, end: int) -> tuple[int, int]:
    """A word without the dots, slashes and pluses at its ends."""
    while begin < end and plain[begin] < _ZERO:
        begin += 1
    while end > begin and plain[end - 1] < _ZERO:
        end -= 1
    return begin, end


@_compiled
def _first_slash(plain: Bytes, begin: int, end: int) -> int:
    """Where it is; -1: nowhere."""
    for at in range(begin, end):
        if plain[at] == _SLASH:
            return at
    return -1


@_compiled
def _last_slash(plain: Bytes, begin: int, end: int) -> int:
    for at in range(end - 1, begin - 1, -1):
        if plain[at] == _SLASH:
            return at
    return -1


@_compiled
def _find(data: Bytes, table: Bytes, plain: Bytes, found: Places) -> int:
    """Writes the values of `data` into `plain`, and of each its begin, its end, its rank (0: address, 1: path or
    identifier, 2: any other) and whether `://` stood before it into `found`. Returns how many.
    """
    n, begin, stop, link, shape = 0, 0, 0, 0, 0
    at, end, most = 0, data.shape[0], found.shape[0]
    while at <= end and n < most:
        c, was_link = table[data[at]] if at < end else _BLANK, 0
        if c == _ODD:
            c = _BLANK
            if data[at] == _BACKSLASH:
                if at + 1 < end and data[at + 1] == _U:
                    at += 5
                elif at + 1 < end and data[at + 1] in (98, 102, 110, 114, 116):
                    at += 1
            elif at + 2 < end and data[at + 1] == _SLASH and data[at + 2] == _SLASH:
                at += 2
                was_link = 1
        at += 1
        if c >= _A:
            plain[stop] = c
            stop += 1
        elif c != _BLANK:
            if c:
                plain[stop] = c
                stop += 1
                shape |= 4 if c == _AT else 2 if c == _SLASH else 1
        else:
            if shape:
                first, last = _bare(plain, begin, stop)
                if _is_value(plain, first, last):
                    found[n, 0], found[n, 1], found[n, 3] = first, last, link
                    found[n, 2] = 0 if shape >= 4 else 1 if shape >= 2 or last - first >= ID_LENGTH else 2
                    n += 1
                    begin = stop
            # A word of letters alone is forgotten.
            stop, link, shape = begin, was_link, 0
    return n


@_compiled
def _put(hashes: Hashes, n: int, value: np.uint32) -> int:
    """Adds a hash to the `n` that are there, unless it's one of them or there is no room."""
    if n == hashes.shape[0]:
        return n
    for i in range(n):
        if hashes[i] == value:
            return n
    hashes[n] = value
    return n + 1


@_compiled
def values(data: Bytes, table: Bytes, keys: Keys, hashes: Hashes) -> int:
    """Writes the hashes of a text's values, with their hosts and file names; addresses first, then paths and
    identifiers, then the others, as many as `hashes` has room for. Returns how many.
    """
    plain = np.empty(data.shape[0] + 1, dtype=np.uint8)
    found = np.empty((MAX_FOUND, 4), dtype=np.int32)
    total, n = _find(data, table, plain, found), 0
    for rank in range(3):
        for i in range(total):
            if found[i, 2] != rank or n == hashes.shape[0]:
                continue
            begin, end = found[i, 0], found[i, 1]
            n = _put(hashes, n, _hash(plain, begin, end, keys))
            slash = _first_slash(plain, begin, end)
            if slash > 0:
                if _is_value(plain, begin, slash):
                    n = _put(hashes, n, _hash(plain, begin, slash, keys))
                name, stop = _bare(plain, _last_slash(plain, begin, end) + 1, end)
                if _is_value(plain, name, stop):
                    n = _put(hashes, n, _hash(plain, name, stop, keys))
    return n


@_compiled
def _is_address(plain: Bytes, begin: int, end: int, domains: Keys) -> bool:
    """Whether a value is a mail address, a host with or without a path, or an account's number."""
    host = _first_slash(plain, begin, end)
    host = end if host < 0 else host
    digits, dots, letters, label = 0, 0, 0, np.uint64(0)
    for at in range(begin, host):
        c = plain[at]
        if c == _AT:
            return True
        if c == _DOT:
            dots, letters, label = dots + 1, 0, np.uint64(0)
        else:
            label = (label << np.uint64(8)) | np.uint64(c)
            digits += _ZERO <= c <= _NINE
            letters += c >= _A
    if dots:
        if letters == 0:
            return bool(dots == 3 and digits + dots == host - begin)
        www = plain[begin] == _W and plain[begin + 1] == _W and plain[begin + 2] == _W and plain[begin + 3] == _DOT
        known = False
        for domain in domains:
            known = known or domain == label
        return bool(www or known)
    if host < end or digits < 6:
        return False
    if letters:
        return bool(plain[begin] >= _A and plain[begin + 1] >= _A and plain[begin + 2] < _A and plain[begin + 3] < _A)
    # A date without its hyphens, with or without a time, is no account.
    dated = (plain[begin] == 49 and plain[begin + 1] == _NINE) or (plain[begin] == 50 and plain[begin + 1] == _ZERO)
    return bool(digits > 6 and not (dated and digits in (8, 12, 14)))


@_compiled
def _aim(out: Bytes, n: int, kind: int, value: np.uint32) -> int:
    out[n] = kind
    for i in range(HASH_BYTES):
        out[n + 1 + i] = (value >> np.uint32(8 * i)) & np.uint32(0xFF)
    return n + 1 + HASH_BYTES


@_compiled
def aims(data: Bytes, table: Bytes, keys: Keys, domains: Keys, out: Bytes) -> tuple[int, bool]:
    """Writes the values in what a call is told to act on, addresses first, each followed by the other forms that it
    may be named by. 5 bytes each: what it is, then the hash, the lowest byte first. Returns how many bytes, and
    whether there is an address.
    """
    plain = np.empty(data.shape[0] + 4, dtype=np.uint8)
    found = np.empty((MAX_FOUND, 4), dtype=np.int32)
    total = _find(data, table, plain, found)
    room, n, addressed = out.shape[0] - 1 - HASH_BYTES, 0, False
    for rank in range(3):
        for i in range(total):
            if found[i, 2] != rank or n > room:
                continue
            begin, end = found[i, 0], found[i, 1]
            address = found[i, 3] == 1 or _is_address(plain, begin, end, domains)
            addressed = addressed or address
            n = _aim(out, n, ADDRESS if address else OTHER, _hash(plain, begin, end, keys))
            slash, forms = _last_slash(plain, begin, end), 0
            if slash > 0 and n <= room and _is_value(plain, slash + 1, end):
                n, forms = _aim(out, n, FORM, _hash(plain, slash + 1, end, keys)), 1
            while slash > 0 and n <= room and forms < MAX_FORMS:
                if _is_value(plain, begin, slash):
                    n, forms = _aim(out, n, FORM, _hash(plain, begin, slash, keys)), forms + 1
                slash = _last_slash(plain, begin, slash)
    return n, addressed
