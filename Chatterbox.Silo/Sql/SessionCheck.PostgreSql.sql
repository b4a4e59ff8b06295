-- Looking through the stored sessions on PostgreSQL: reads only. Rows of cleared slices without content are left out.
-- A page ends with a hash and not with a row, so that it has all rows of each of its sessions.

-- name: Page
SELECT GrainIdHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, GrainTypeString, PayloadBinary
FROM OrleansStorage
WHERE ServiceId = @serviceId AND PayloadBinary IS NOT NULL
  AND GrainTypeString IN ('preferences', 'workSessions', 'savedVoices', 'chunks', 'batchItems')
  AND GrainIdHash > @after
  AND GrainIdHash <=
  (
    SELECT MAX(GrainIdHash) FROM
    (
      SELECT GrainIdHash
      FROM OrleansStorage
      WHERE ServiceId = @serviceId AND PayloadBinary IS NOT NULL
        AND GrainTypeString IN ('preferences', 'workSessions', 'savedVoices', 'chunks', 'batchItems')
        AND GrainIdHash > @after
      ORDER BY GrainIdHash
    LIMIT @rows
    ) AS page
  )
ORDER BY GrainIdHash
