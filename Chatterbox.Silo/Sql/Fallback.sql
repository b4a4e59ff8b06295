-- The local file that takes frames while the database is away (SQLite).

-- name: Create
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS Frames
(
  Number    INTEGER PRIMARY KEY AUTOINCREMENT,
  StateName TEXT NOT NULL,
  GrainType TEXT NOT NULL,
  GrainKey  TEXT NOT NULL,
  ETag      TEXT NOT NULL,
  Bytes     BLOB NOT NULL,
  SavedAt   TEXT NOT NULL,
  UNIQUE (StateName, GrainType, GrainKey, ETag)
);
-- The SHA-256 of every frame that was to replace a row's etag. One of those sent may be in the database, nobody knows.
CREATE TABLE IF NOT EXISTS Attempts
(
  StateName TEXT NOT NULL,
  GrainType TEXT NOT NULL,
  GrainKey  TEXT NOT NULL,
  ETag      TEXT NOT NULL,
  Digest    BLOB NOT NULL,
  IsSent    INTEGER NOT NULL,
  PRIMARY KEY (StateName, GrainType, GrainKey, ETag, Digest)
) WITHOUT ROWID;

-- name: Check
PRAGMA quick_check(1)

-- A frame that takes another's place gets a new number, so that removing the one that was replayed leaves the newer one.
-- name: Save
BEGIN IMMEDIATE;
DELETE FROM Attempts
WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND ETag = @ETag AND NOT IsSent;
INSERT INTO Attempts (StateName, GrainType, GrainKey, ETag, Digest, IsSent)
VALUES (@StateName, @GrainType, @GrainKey, @ETag, @Digest, @IsSent)
ON CONFLICT DO UPDATE SET IsSent = IsSent OR excluded.IsSent;
INSERT OR REPLACE INTO Frames (StateName, GrainType, GrainKey, ETag, Bytes, SavedAt)
VALUES (@StateName, @GrainType, @GrainKey, @ETag, @Bytes, @SavedAt);
COMMIT

-- name: Numbers
SELECT Number, StateName, GrainType, GrainKey FROM Frames ORDER BY Number

-- name: NumbersOfRow
SELECT Number FROM Frames
WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey
ORDER BY Number

-- name: Find
SELECT StateName, GrainType, GrainKey, ETag, Bytes, SavedAt FROM Frames WHERE Number = @Number

-- name: AttemptsOf
SELECT Digest, IsSent FROM Attempts
WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND ETag = @ETag

-- name: Forget
DELETE FROM Frames WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey;
DELETE FROM Attempts WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey

-- name: Remove
DELETE FROM Frames WHERE Number = @Number;
DELETE FROM Attempts
WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND NOT EXISTS
(
  SELECT 1 FROM Frames AS f
  WHERE f.StateName = @StateName AND f.GrainType = @GrainType AND f.GrainKey = @GrainKey AND f.ETag = Attempts.ETag
)
