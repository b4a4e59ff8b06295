-- Pages of the stored rows of some names on PostgreSQL: reads only. Cleared rows are left out.
-- A page ends with a hash and not with a row, so that it has all rows of each of its keys.
-- @typeHashes and @names stand for lists.

-- name: Page
SELECT GrainIdHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, GrainTypeString, PayloadBinary
FROM OrleansStorage
WHERE ServiceId = @serviceId AND PayloadBinary IS NOT NULL
  AND GrainTypeHash IN (@typeHashes) AND GrainTypeString IN (@names)
  AND GrainIdHash > @after
  AND GrainIdHash <=
  (
    SELECT MAX(GrainIdHash) FROM
    (
      SELECT GrainIdHash
      FROM OrleansStorage
      WHERE ServiceId = @serviceId AND PayloadBinary IS NOT NULL
        AND GrainTypeHash IN (@typeHashes) AND GrainTypeString IN (@names)
        AND GrainIdHash > @after
      ORDER BY GrainIdHash
      LIMIT @rows
    ) AS page
  )
ORDER BY GrainIdHash
