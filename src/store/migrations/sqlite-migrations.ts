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
];
