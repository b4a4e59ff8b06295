-- The statements of group commit. Each takes a whole batch as arrays and returns what happened to which row.
-- Parameters: 1-6 the rows' keys, 7 service id, 8 payloads, 9 versions. No two rows of a batch have the same key.
--
-- The batch has to lead and find each of its rows through the key. On a small table the planner would rather read that whole and
-- hold each row against the batch, and would keep that plan when the table has grown. So the connection forbids the other kinds
-- of join, and the service id comes out of the batch (OFFSET 0 keeps the planner from looking inside): with nothing to start
-- from, the key cannot be read before the batch.

-- name: Insert
INSERT INTO OrleansStorage
  (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
   PayloadBinary, ModifiedOn, Version)
SELECT w.GrainIdHash, w.GrainIdN0, w.GrainIdN1, w.GrainTypeHash, w.GrainTypeString, w.GrainIdExtensionString, $7,
   w.PayloadBinary, now() AT TIME ZONE 'utc', 1
FROM unnest($1, $2, $3, $4, $5, $6, $8)
  AS w (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, PayloadBinary)
ON CONFLICT DO NOTHING
RETURNING GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString

-- The rows that were written come back as one array: a row each would cost as much as finding them.
-- name: Update
WITH changed AS
(
  UPDATE OrleansStorage AS s
  SET PayloadBinary = w.PayloadBinary, ModifiedOn = now() AT TIME ZONE 'utc', Version = s.Version + 1
  FROM
  (
    SELECT *, $7::text AS ServiceId
    FROM unnest($1, $2, $3, $4, $5, $6, $8, $9) WITH ORDINALITY
      AS u (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, PayloadBinary, Version, Ordinal)
    OFFSET 0
  ) AS w
  WHERE s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
    AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
    AND s.ServiceId = w.ServiceId AND s.GrainTypeString = w.GrainTypeString
    AND s.GrainIdExtensionString IS NOT DISTINCT FROM w.GrainIdExtensionString
    AND s.Version = w.Version
  RETURNING w.Ordinal
)
SELECT array_agg(Ordinal) FROM changed

-- name: Read
SELECT w.Ordinal, s.PayloadBinary, s.Version
FROM
(
  SELECT *, $7::text AS ServiceId
  FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
    AS u (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, Ordinal)
  OFFSET 0
) AS w
JOIN OrleansStorage AS s
  ON s.GrainIdHash = w.GrainIdHash AND s.GrainTypeHash = w.GrainTypeHash
  AND s.GrainIdN0 = w.GrainIdN0 AND s.GrainIdN1 = w.GrainIdN1
  AND s.ServiceId = w.ServiceId AND s.GrainTypeString = w.GrainTypeString
  AND s.GrainIdExtensionString IS NOT DISTINCT FROM w.GrainIdExtensionString
