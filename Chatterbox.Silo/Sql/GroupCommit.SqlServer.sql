-- The statements of group commit. Each takes a whole batch as a table and returns what happened to which row.
-- Parameters: @Rows (ChatterboxStorageRows), @ServiceId. No two rows of a batch have the same key.

-- name: Insert
DECLARE @Added TABLE
(
  GrainIdHash INT, GrainIdN0 BIGINT, GrainIdN1 BIGINT, GrainTypeHash INT,
  GrainTypeString NVARCHAR(512) COLLATE Latin1_General_100_BIN2, GrainIdExtensionString NVARCHAR(512) COLLATE Latin1_General_100_BIN2
);
INSERT INTO OrleansStorage
  (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
   PayloadBinary, ModifiedOn, Version)
OUTPUT inserted.GrainIdHash, inserted.GrainIdN0, inserted.GrainIdN1, inserted.GrainTypeHash, inserted.GrainTypeString,
  inserted.GrainIdExtensionString INTO @Added
SELECT w.GrainIdHash, w.GrainIdN0, w.GrainIdN1, w.GrainTypeHash, w.GrainTypeString, w.GrainIdExtensionString, @ServiceId,
   w.PayloadBinary, SYSUTCDATETIME(), 1
FROM @Rows AS w
WHERE w.Version IS NULL AND NOT EXISTS
(
  SELECT 1 FROM OrleansStorage AS s
  WHERE s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
    AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
    AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
    AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL))
);
SELECT w.Ordinal
FROM @Rows AS w
JOIN @Added AS a
  ON a.GrainIdHash = w.GrainIdHash AND a.GrainTypeHash = w.GrainTypeHash
  AND a.GrainIdN0 = w.GrainIdN0 AND a.GrainIdN1 = w.GrainIdN1 AND a.GrainTypeString = w.GrainTypeString
  AND (a.GrainIdExtensionString = w.GrainIdExtensionString OR (a.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL));

-- name: Update
UPDATE s
SET PayloadBinary = w.PayloadBinary, ModifiedOn = SYSUTCDATETIME(), Version = s.Version + 1
OUTPUT w.Ordinal
FROM OrleansStorage AS s
JOIN @Rows AS w
  ON s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
  AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
  AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
  AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL))
  AND s.Version = w.Version;

-- name: Read
SELECT w.Ordinal, s.PayloadBinary, s.Version
FROM @Rows AS w
JOIN OrleansStorage AS s
  ON s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
  AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
  AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
  AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL));
