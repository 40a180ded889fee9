-- Version 1 of the store: tables. Views, which panels and people ask: views.sql, product.sql; roles: roles.sql.
-- Everything stands in the schema `detector`. Times are timestamptz; a run's id is the one of the Kafka records.
-- No row holds an argument, a result, a prompt or a secret: the records that feed it have none.

create schema if not exists detector;

create table detector.schema_version (
    version integer primary key,
    applied timestamptz not null default now()
);

-- Up to where each partition is in the tables. Written in the transaction that writes the rows, so that a record
-- takes effect once, whichever process reads it and however often it comes.
create table detector.offsets (
    topic text not null,
    partition integer not null,
    next bigint not null,
    primary key (topic, partition)
);

-- One row a run. Verdicts, commands, acks and labels make it; the summary, which comes when the run ends, fills it.
create table detector.runs (
    run text primary key,
    workflow text not null default '',
    service text not null default '',
    first_at timestamptz not null,          -- of the records about it
    last_at timestamptz not null,
    known boolean not null default false,   -- seen by the detector; false: only labels or acks speak of it
    withdrawn boolean not null default false, -- its summary is void: the run turned out to be a part of another
    part_of text,                           -- the run that it turned out to be a part of
    root text,                              -- the run above it, of a sub-agent's run
    traces text[] not null default '{}',    -- the newest of its trace ids
    desired text,                           -- running, paused, killed: what the newest command asks for
    desired_sequence bigint not null default 0,
    -- from here on: the summary; null while the run lives
    started timestamptz,
    ended timestamptz,
    outcome text,                           -- finished, expired, evicted, killed
    level text,                             -- the highest verdict: ALLOW, ALERT, PAUSE, KILL
    calls integer,
    turns integer,
    peak real,                              -- the highest score, 0 to 1, and the call at which it came, from 1
    peak_call integer,
    tokens_in bigint,                       -- 0 where no span carried any
    tokens_out bigint,
    asked integer,                          -- questions to a person that its own calls put
    refused integer,                        -- its calls that a person, a hook or a gate of its own refused
    blind jsonb,                            -- what could not be seen, by kind
    model text,
    policy text
);
-- As the views ask for them.
create index runs_by_start on detector.runs (coalesce(started, first_at));
create index runs_by_day on detector.runs (((coalesce(started, first_at) at time zone 'UTC')::date));
create index runs_by_whole on detector.runs (coalesce(part_of, run));
create index runs_by_end on detector.runs (last_at);

create table detector.verdicts (
    run text not null references detector.runs on delete cascade,
    sequence bigint not null,
    at timestamptz not null,                -- end of the deciding span
    level text not null,
    previous text not null,
    cause text not null,                    -- rule:NAME, manifest:SIGNAL, model, person:WHO, deadline, leak
    score real not null,
    threshold real not null,
    calls integer not null,
    span_id text not null,
    trace_id text not null,                 -- of the deciding span's trace, the newest one; empty: none is known
    workflow text not null,
    service text not null,
    mode text not null,
    model text not null,
    policy text not null,
    primary key (run, sequence)
);
create index verdicts_by_time on detector.verdicts (at);

-- The steps that a verdict rests on, in words of the detector's own.
create table detector.evidence (
    run text not null,
    sequence bigint not null,               -- the verdict's
    n integer not null,                     -- order within it, from 1
    at timestamptz not null,
    call integer not null,                  -- which call of the run, from 1; 0: not told
    tool text not null,
    words text not null,
    span_id text not null,
    trace_id text not null,
    primary key (run, sequence, n),
    foreign key (run, sequence) references detector.verdicts on delete cascade
);

-- How much each behaviour contributes to a verdict's score; the shares of a verdict add up to 1.
create table detector.shares (
    run text not null,
    sequence bigint not null,
    behaviour text not null,
    share real not null,
    value real not null,
    words text not null,
    primary key (run, sequence, behaviour),
    foreign key (run, sequence) references detector.verdicts on delete cascade
);

create table detector.commands (
    run text not null references detector.runs on delete cascade,
    sequence bigint not null,
    at timestamptz not null,
    desired text not null,                  -- running, paused, killed
    cause text not null,
    deadline timestamptz,                   -- when a pause ends by itself; null: never
    workflow text not null,
    service text not null,
    primary key (run, sequence)
);
create index commands_by_time on detector.commands (at);

create table detector.acks (
    run text not null references detector.runs on delete cascade,
    sequence bigint not null,               -- the command's
    enforcer text not null,
    at timestamptz not null,
    outcome text not null,                  -- done, already, not mine, failed
    desired text not null,
    detail text not null,
    primary key (run, sequence, enforcer, at, outcome)
);

create table detector.labels (
    run text not null references detector.runs on delete cascade,
    at timestamptz not null,
    kind text not null,                     -- approve, deny, accept, correct, clarify, reopen, complete, ...
    who text not null,
    why text not null,
    sequence bigint not null,               -- the command or verdict that it answers; 0: the run as it stands
    primary key (run, at, kind, who, sequence)
);
create index labels_by_time on detector.labels (at);
