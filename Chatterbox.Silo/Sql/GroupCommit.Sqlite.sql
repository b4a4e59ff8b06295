-- The statements of group commit. Run once for each row, inside one transaction for the batch; the row counts tell the outcome.
-- Parameters are bound by number: 1-7 the row's key, 8 payload, 9 time, 10 version.

-- name: Insert
INSERT INTO OrleansStorage
  (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
   PayloadBinary, ModifiedOn, Version)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)
ON CONFLICT DO NOTHING

-- name: Update
UPDATE OrleansStorage
SET PayloadBinary = ?8, ModifiedOn = ?9, Version = Version + 1
WHERE GrainIdHash = ?1 AND GrainTypeHash = ?4 AND GrainIdN0 = ?2 AND GrainIdN1 = ?3
  AND ServiceId = ?7 AND GrainTypeString = ?5 AND GrainIdExtensionString IS ?6
  AND Version = ?10

-- name: Read
SELECT PayloadBinary, Version
FROM OrleansStorage
WHERE GrainIdHash = ?1 AND GrainTypeHash = ?4 AND GrainIdN0 = ?2 AND GrainIdN1 = ?3
  AND ServiceId = ?7 AND GrainTypeString = ?5 AND GrainIdExtensionString IS ?6
