"""Enforcers, one file each: what brings a run into the state that a command asks for.

A new one is a module here with a subclass of `base.Enforcer` under the name ENFORCER; the
contract tests in tests/control/test_enforcers.py run over it without being told.
"""
