-- The local file that keeps frames while the database is unavailable (SQLite).

-- name: Create
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
-- Bytes that the log keeps once its content is in the file.
PRAGMA journal_size_limit = 4194304;
-- DatabaseId is the id that is stored in the database that the frame is for; Service is Orleans' service id.
CREATE TABLE IF NOT EXISTS Frames
(
  Number    INTEGER PRIMARY KEY AUTOINCREMENT,
  DatabaseId TEXT NOT NULL,
  Service   TEXT NOT NULL,
  StateName TEXT NOT NULL,
  GrainType TEXT NOT NULL,
  GrainKey  TEXT NOT NULL,
  ETag      TEXT NOT NULL,
  Bytes     BLOB NOT NULL,
  SavedAt   TEXT NOT NULL,
  UNIQUE (DatabaseId, Service, StateName, GrainType, GrainKey, ETag)
);
-- The SHA-256 of every frame that was to replace a row's etag. One of those sent may be in the database; reading it tells.
CREATE TABLE IF NOT EXISTS Attempts
(
  DatabaseId TEXT NOT NULL,
  Service   TEXT NOT NULL,
  StateName TEXT NOT NULL,
  GrainType TEXT NOT NULL,
  GrainKey  TEXT NOT NULL,
  ETag      TEXT NOT NULL,
  Digest    BLOB NOT NULL,
  IsSent    INTEGER NOT NULL,
  PRIMARY KEY (DatabaseId, Service, StateName, GrainType, GrainKey, ETag, Digest)
) WITHOUT ROWID;

-- name: Check
PRAGMA quick_check(1)

-- A frame that replaces another gets a new number, so that removing the one that was replayed leaves the newer one.
-- name: Save
BEGIN IMMEDIATE;
DELETE FROM Attempts
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND ETag = @ETag AND NOT IsSent;
INSERT INTO Attempts (DatabaseId, Service, StateName, GrainType, GrainKey, ETag, Digest, IsSent)
VALUES (@Database, @Service, @StateName, @GrainType, @GrainKey, @ETag, @Digest, @IsSent)
ON CONFLICT DO UPDATE SET IsSent = IsSent OR excluded.IsSent;
INSERT OR REPLACE INTO Frames (DatabaseId, Service, StateName, GrainType, GrainKey, ETag, Bytes, SavedAt)
VALUES (@Database, @Service, @StateName, @GrainType, @GrainKey, @ETag, @Bytes, @SavedAt);
COMMIT

-- name: All
SELECT Number FROM Frames ORDER BY Number

-- name: Foreign
SELECT count(*) FROM Frames WHERE DatabaseId <> @Database OR Service <> @Service

-- name: Numbers
SELECT Number, StateName, GrainType, GrainKey FROM Frames
WHERE DatabaseId = @Database AND Service = @Service
ORDER BY Number

-- name: NumbersOfRow
SELECT Number FROM Frames
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey
ORDER BY Number

-- name: Find
SELECT DatabaseId, Service, StateName, GrainType, GrainKey, ETag, Bytes, SavedAt FROM Frames WHERE Number = @Number

-- name: AttemptsOf
SELECT Digest, IsSent FROM Attempts
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND ETag = @ETag

-- name: Forget
DELETE FROM Frames
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey;
DELETE FROM Attempts
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey

-- name: Remove
DELETE FROM Frames WHERE Number = @Number;
DELETE FROM Attempts
WHERE DatabaseId = @Database AND Service = @Service
  AND StateName = @StateName AND GrainType = @GrainType AND GrainKey = @GrainKey AND NOT EXISTS
(
  SELECT 1 FROM Frames AS f
  WHERE f.DatabaseId = @Database AND f.Service = @Service
    AND f.StateName = @StateName AND f.GrainType = @GrainType AND f.GrainKey = @GrainKey AND f.ETag = Attempts.ETag
)
