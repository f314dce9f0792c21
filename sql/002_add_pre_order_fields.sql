-- 002: pre-orders. Three columns at the end of an orders table that may hold a million rows; these keep their meaning
-- (order_type 'instant').
--
-- No ALGORITHM clause: each server takes the cheapest it has.
--   MySQL 8.0.12+ and MariaDB 10.3+ (and so every version this program supports): INSTANT. Only the dictionary changes, no row
--     is rewritten; the statement waits for transactions that use the table and holds off new ones for milliseconds.
--   Elsewhere (row format COMPRESSED, or a FULLTEXT index on the table): INPLACE, which rebuilds the table while readers and
--     writers go on, blocked only for an instant at its start and end; it needs as much free disk as the table takes.
--   Never COPY on InnoDB, the one that would block writers throughout.
-- One statement, so that a table has all three columns or none.

ALTER TABLE orders
  ADD COLUMN order_type VARCHAR(20) COLLATE utf8mb4_bin NOT NULL DEFAULT 'instant',
  ADD COLUMN scheduled_pickup_time DATETIME(6) NULL,
  ADD COLUMN estimated_preparation_minutes INT NULL;
