-- The statements of group commit. Each takes a whole batch as a table: @Rows (ChatterboxStorageRows), in the order of the rows' keys.
-- No two rows of a batch have the same key. The other parameter is @ServiceId.
-- The hints fix the plan: each row is found by a seek, one after the other in the order of @Rows. A scan, which the optimizer prefers
-- while the table is small, locks rows of other batches, and two batches without a common row would wait for each other.

-- name: Write
-- Returns the keys of the rows that were written; the others are conflicts. The result follows the commit, so that no lock is held
-- while the network is slow. A row locked by another transaction fails the batch soon (error 1222), and the batch is split.
SET NOCOUNT ON;
SET XACT_ABORT ON;
SET LOCK_TIMEOUT 100;
DECLARE @Written TABLE
(
  GrainIdHash INT, GrainIdN0 BIGINT, GrainIdN1 BIGINT, GrainTypeHash INT, GrainTypeString NVARCHAR(512), GrainIdExtensionString NVARCHAR(512)
);
BEGIN TRANSACTION;

INSERT INTO OrleansStorage
  (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
   PayloadBinary, ModifiedOn, Version)
OUTPUT inserted.GrainIdHash, inserted.GrainIdN0, inserted.GrainIdN1, inserted.GrainTypeHash, inserted.GrainTypeString,
  inserted.GrainIdExtensionString INTO @Written
SELECT w.GrainIdHash, w.GrainIdN0, w.GrainIdN1, w.GrainTypeHash, w.GrainTypeString, w.GrainIdExtensionString, @ServiceId,
   w.PayloadBinary, SYSUTCDATETIME(), 1
FROM @Rows AS w
WHERE w.Version IS NULL AND NOT EXISTS
(
  SELECT 1 FROM OrleansStorage AS s WITH (FORCESEEK)
  WHERE s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
    AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
    AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
    AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL))
)
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);

-- Tables in a list and the columns of the row as written: the form that other servers that speak TDS take as well.
UPDATE s
SET PayloadBinary = w.PayloadBinary, ModifiedOn = SYSUTCDATETIME(), Version = s.Version + 1
OUTPUT inserted.GrainIdHash, inserted.GrainIdN0, inserted.GrainIdN1, inserted.GrainTypeHash, inserted.GrainTypeString,
  inserted.GrainIdExtensionString INTO @Written
FROM @Rows AS w, OrleansStorage AS s WITH (FORCESEEK)
WHERE s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
  AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
  AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
  AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL))
  AND s.Version = w.Version
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);

COMMIT TRANSACTION;
SELECT GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString FROM @Written;

-- name: Read
-- In order until the payloads exceed @Bytes; of the rows after that only the ordinal is returned, and that they are left.
SELECT r.Ordinal, CASE WHEN r.Before < @Bytes THEN r.PayloadBinary END, r.Version, CAST(CASE WHEN r.Before < @Bytes THEN 0 ELSE 1 END AS BIT)
FROM
(
  SELECT w.Ordinal, s.PayloadBinary, s.Version,
    COALESCE(SUM(CAST(DATALENGTH(s.PayloadBinary) AS BIGINT)) OVER (ORDER BY w.Ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
      AS Before
  FROM @Rows AS w
  JOIN OrleansStorage AS s WITH (FORCESEEK)
    ON s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
    AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
    AND s.ServiceId = @ServiceId AND s.GrainTypeString = w.GrainTypeString
    AND (s.GrainIdExtensionString = w.GrainIdExtensionString OR (s.GrainIdExtensionString IS NULL AND w.GrainIdExtensionString IS NULL))
) AS r
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
