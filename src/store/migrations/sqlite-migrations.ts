/**
 * The SQLite schema, one script per version, in order; `pragma user_version` holds how many have run. Never change one that was released: add another.
 * `responses_by_age` also covers the sum of `bytes`, so that retention does not read the bodies' pages.
 */
export const sqliteMigrations: readonly string[] = [
  `
  create table responses (
    seq integer primary key,
    id text not null unique,
    owner text not null,
    previous_id text,
    created_at integer not null,
    bytes integer not null,
    states text not null,
    body text not null,
    events text not null
  );
  create index responses_by_previous on responses (previous_id) where previous_id is not null;
  create index responses_by_age on responses (created_at, seq, bytes);

  create table items (
    response_seq integer not null references responses (seq) on delete cascade,
    item_id text not null,
    owner text not null,
    has_state integer not null,
    primary key (response_seq, item_id)
  ) without rowid;
  create index items_by_id on items (owner, item_id, response_seq);

  create table trials (data text not null);
  `,
  `
  create table conversations (
    owner text not null,
    id text not null,
    head_seq integer not null references responses (seq) on delete cascade,
    created_at integer not null,
    last_used_at integer not null,
    primary key (owner, id)
  ) without rowid;
  create index conversations_by_head on conversations (head_seq);

  create table sessions (
    seq integer primary key,
    backend text not null,
    upstream_id text not null,
    owner text not null,
    head_id text not null,
    conversation text,
    created_at integer not null,
    last_used_at integer not null,
    unique (backend, upstream_id)
  );
  create index sessions_by_head on sessions (owner, head_id);
  `,
];
