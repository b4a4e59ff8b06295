-- The statements of group commit. Each takes a whole batch as arrays and returns what happened to which row.
-- Parameters: 1-6 the keys of the rows to update, or to read, 7 service id, 8 payloads, 9 versions; of Write also 10-15 the keys of the
-- rows to insert, 16 their payloads. No two rows of a batch have the same key.
--
-- One statement for each batch: the server has all of it before it locks the first row, so that a client which is cut off in the middle
-- of sending leaves no lock behind.
--
-- The batch has to lead and find each of its rows through the key. On a small table the planner would rather read that whole and
-- hold each row against the batch, and would keep that plan when the table has grown. So the connection forbids the other kinds
-- of join, and the service id comes out of the batch (OFFSET 0 keeps the planner from looking inside): with nothing to start
-- from, the key cannot be read before the batch.

-- The rows that were written are returned as one array: a row each would cost as much as finding them.
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

-- An INSERT cannot return the ordinal of what it inserts: the keys say which.
-- name: Write
WITH added AS
(
  INSERT INTO OrleansStorage
    (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
     PayloadBinary, ModifiedOn, Version)
  SELECT w.GrainIdHash, w.GrainIdN0, w.GrainIdN1, w.GrainTypeHash, w.GrainTypeString, w.GrainIdExtensionString, $7,
     w.PayloadBinary, now() AT TIME ZONE 'utc', 1
  FROM unnest($10, $11, $12, $13, $14, $15, $16)
    AS w (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, PayloadBinary)
  ON CONFLICT DO NOTHING
  RETURNING GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString
),
changed AS
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
SELECT (SELECT array_agg(Ordinal) FROM changed), a.*
FROM
(
  SELECT array_agg(GrainIdHash), array_agg(GrainIdN0), array_agg(GrainIdN1), array_agg(GrainTypeHash),
    array_agg(GrainTypeString::text), array_agg(GrainIdExtensionString::text)
  FROM added
) AS a

-- Which rows can be locked right now; those that are there and are not returned are locked by others. Rolled back afterwards.
-- name: Free
SELECT w.Ordinal
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
FOR NO KEY UPDATE OF s SKIP LOCKED

-- name: Present
SELECT w.Ordinal
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

-- In order until the payloads exceed parameter 8, in bytes; of the rows after that only the ordinal is returned, and that they are left.
-- The length of a payload that is stored apart is known without fetching it.
-- name: Read
SELECT r.Ordinal, CASE WHEN r.Before < $8 THEN r.PayloadBinary END, r.Version, r.Before >= $8
FROM
(
  SELECT w.Ordinal, s.PayloadBinary, s.Version,
    coalesce(sum(octet_length(s.PayloadBinary)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS Before
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
) AS r
