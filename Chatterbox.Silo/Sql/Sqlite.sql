-- Chatterbox on SQLite, version 1. One silo, one file; the journal mode (WAL) is set when the file is opened.
-- The tables' and columns' names, and the statements' parameters and result columns, are the contract of
-- Microsoft.Orleans.Persistence.AdoNet, so that its stock provider works on the same rows.

-- 1. Storage

CREATE TABLE OrleansQuery
(
  QueryKey  TEXT NOT NULL PRIMARY KEY,
  QueryText TEXT NOT NULL
);

-- The lengths are those of the other dialects, which SQLite would not hold by itself.
CREATE TABLE OrleansStorage
(
  GrainIdHash            INTEGER NOT NULL,
  GrainIdN0              INTEGER NOT NULL,
  GrainIdN1              INTEGER NOT NULL,
  GrainTypeHash          INTEGER NOT NULL,
  GrainTypeString        TEXT    NOT NULL CHECK (length(GrainTypeString) <= 512),
  GrainIdExtensionString TEXT    NULL     CHECK (length(GrainIdExtensionString) <= 512),
  ServiceId              TEXT    NOT NULL CHECK (length(ServiceId) <= 150),
  PayloadBinary          BLOB    NULL,
  ModifiedOn             TEXT    NOT NULL,
  -- Orleans reads it as 32 bits.
  Version                INTEGER NOT NULL CHECK (Version BETWEEN 0 AND 2147483647)
);

-- A grain has one row. Of two first writers the second meets this key. The hashes come first: they alone find the row.
-- A key without extension is NULL there, and NULLs never collide; an empty blob stands in, which no text equals.
CREATE UNIQUE INDEX UX_OrleansStorage ON OrleansStorage
  (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, ServiceId, GrainTypeString, ifnull(GrainIdExtensionString, x''));

-- Both statements return the new version; a conflict returns no row. Without a version the first one acts, with a version
-- the second, so each write is one statement and a transaction of its own.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('WriteToStorageKey', '
  INSERT INTO OrleansStorage
    (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
     PayloadBinary, ModifiedOn, Version)
  SELECT @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString, @ServiceId,
     @PayloadBinary, datetime(''now''), 1
  WHERE @GrainStateVersion IS NULL
  ON CONFLICT DO NOTHING
  RETURNING Version AS NewGrainStateVersion;

  UPDATE OrleansStorage
  SET PayloadBinary = @PayloadBinary, ModifiedOn = datetime(''now''), Version = Version + 1
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND GrainIdExtensionString IS @GrainIdExtensionString
    AND Version = @GrainStateVersion
  RETURNING Version AS NewGrainStateVersion;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ReadFromStorageKey', '
  SELECT PayloadBinary, Version
  FROM OrleansStorage
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND GrainIdExtensionString IS @GrainIdExtensionString;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ClearStorageKey', '
  UPDATE OrleansStorage
  SET PayloadBinary = NULL, ModifiedOn = datetime(''now''), Version = Version + 1
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND GrainIdExtensionString IS @GrainIdExtensionString
    AND Version = @GrainStateVersion
  RETURNING Version AS NewGrainStateVersion;
');

-- The version after the one deleted is what the provider takes for success.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('DeleteStorageKey', '
  DELETE FROM OrleansStorage
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND GrainIdExtensionString IS @GrainIdExtensionString
    AND Version = @GrainStateVersion
  RETURNING Version + 1 AS NewGrainStateVersion;
');

-- 2. Identity

-- One row: which database this is. A backup that is restored keeps its id, and so does a clone.
CREATE TABLE ChatterboxDatabase
(
  Singleton INTEGER NOT NULL PRIMARY KEY CHECK (Singleton = 1),
  Id        TEXT    NOT NULL
);

INSERT INTO ChatterboxDatabase (Singleton, Id) VALUES (1, lower(hex(randomblob(16))));
