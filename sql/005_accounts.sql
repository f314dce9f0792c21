-- 005: ended tokens, staff, failed log-ins.

-- Tokens issued up to then are void. NULL: none was ever ended.
ALTER TABLE users ADD COLUMN tokens_ended_at DATETIME(6) NULL;

-- Whom a shop's owner has let in.
CREATE TABLE shop_staff (
  shop_id  BIGINT UNSIGNED NOT NULL,
  user_id  BIGINT UNSIGNED NOT NULL,
  added_by BIGINT UNSIGNED NOT NULL,
  added_at DATETIME(6)     NOT NULL,
  by_phone TINYINT         NOT NULL,                -- the owner gave the phone number, and so may be shown it
  PRIMARY KEY (shop_id, user_id),
  KEY of_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Wrong passwords in a row: by phone number (1), by client address (2), by number and an address from which it has signed in before (3), whose
-- row is there from then on. A subject is a digest with the token key: nobody's address can be read out of it.
CREATE TABLE login_failures (
  kind     TINYINT UNSIGNED NOT NULL,
  subject  CHAR(32)         CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  failures INT UNSIGNED     NOT NULL,
  at       DATETIME(6)      NOT NULL,              -- of the last one, or of signing in
  PRIMARY KEY (kind, subject),
  KEY stale (kind, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
