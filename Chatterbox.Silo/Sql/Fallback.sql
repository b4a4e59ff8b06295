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

-- A frame that takes another's place gets a new number, so that removing the one that was replayed leaves the newer one.
-- name: Save
INSERT OR REPLACE INTO Frames (StateName, GrainType, GrainKey, ETag, Bytes, SavedAt)
VALUES (@StateName, @GrainType, @GrainKey, @ETag, @Bytes, datetime('now'))

-- name: All
SELECT StateName, GrainType, GrainKey, ETag, Bytes, Number FROM Frames ORDER BY Number

-- name: OfRow
SELECT StateName, GrainType, GrainKey, ETag, Bytes, Number FROM Frames
WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey
ORDER BY Number

-- name: Forget
DELETE FROM Frames WHERE StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey

-- name: Remove
DELETE FROM Frames WHERE Number = @Number

-- name: Count
SELECT COUNT(*) FROM Frames
