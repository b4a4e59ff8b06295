-- Chatterbox on SQL Server 2016 or later, version 1. Plain T-SQL: what closes a race here is a key or a statement's own WHERE.
-- Names have no schema: the objects are in the default schema of the user that migrates. The user of a silo finds them there if that
-- is its default schema as well, or dbo, and needs no more than
--   GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::dbo TO [chatterbox];
--   GRANT EXECUTE ON TYPE::ChatterboxStorageRows TO [chatterbox];
-- The tables' and columns' names, and the statements' parameters and result columns, are the contract of
-- Microsoft.Orleans.Persistence.AdoNet and Microsoft.Orleans.Clustering.AdoNet, so that the stock providers work on the same rows.

-- 1. Storage

CREATE TABLE OrleansQuery
(
  QueryKey  VARCHAR(64)   NOT NULL PRIMARY KEY,
  QueryText VARCHAR(8000) NOT NULL
);

-- Names are compared by code point, whatever the database's collation: 'Alice' is not 'alice'.
CREATE TABLE OrleansStorage
(
  GrainIdHash            INT            NOT NULL,
  GrainIdN0              BIGINT         NOT NULL,
  GrainIdN1              BIGINT         NOT NULL,
  GrainTypeHash          INT            NOT NULL,
  GrainTypeString        NVARCHAR(512)  COLLATE Latin1_General_100_BIN2 NOT NULL,
  GrainIdExtensionString NVARCHAR(512)  COLLATE Latin1_General_100_BIN2 NULL,
  ServiceId              NVARCHAR(150)  COLLATE Latin1_General_100_BIN2 NOT NULL,
  PayloadBinary          VARBINARY(MAX) NULL,
  ModifiedOn             DATETIME2(3)   NOT NULL,
  Version                INT            NOT NULL
);
GO

-- A grain has one row. Of two first writers the second meets this key. The hashes come first: they alone find the row.
-- NULLs are equal in a key here. The key may be wider than the 1,700 bytes an index takes: creating it says so, and a row that
-- really is (names of over 800 characters together) is refused.
CREATE UNIQUE INDEX UX_OrleansStorage ON OrleansStorage
  (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, ServiceId, GrainTypeString, GrainIdExtensionString);
GO

-- A large batch locks its rows, however many: never the whole table.
ALTER TABLE OrleansStorage SET (LOCK_ESCALATION = DISABLE);
GO

-- The rows of one group commit. Using it as a parameter takes the right to EXECUTE it.
CREATE TYPE ChatterboxStorageRows AS TABLE
(
  Ordinal                INT            NOT NULL PRIMARY KEY,
  GrainIdHash            INT            NOT NULL,
  GrainIdN0              BIGINT         NOT NULL,
  GrainIdN1              BIGINT         NOT NULL,
  GrainTypeHash          INT            NOT NULL,
  GrainTypeString        NVARCHAR(512)  COLLATE Latin1_General_100_BIN2 NOT NULL,
  GrainIdExtensionString NVARCHAR(512)  COLLATE Latin1_General_100_BIN2 NULL,
  PayloadBinary          VARBINARY(MAX) NULL,
  Version                INT            NULL
);
GO

-- Returns the new version; a conflict returns no row. 2601 and 2627 are the key's errors: another first writer was faster.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('WriteToStorageKey', '
  SET NOCOUNT ON;
  IF @GrainStateVersion IS NULL
  BEGIN TRY
    INSERT INTO OrleansStorage
      (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
       PayloadBinary, ModifiedOn, Version)
    OUTPUT inserted.Version AS NewGrainStateVersion
    VALUES (@GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString, @ServiceId,
       @PayloadBinary, SYSUTCDATETIME(), 1);
  END TRY
  BEGIN CATCH
    IF ERROR_NUMBER() NOT IN (2601, 2627) THROW;
  END CATCH
  ELSE
    UPDATE OrleansStorage
    SET PayloadBinary = @PayloadBinary, ModifiedOn = SYSUTCDATETIME(), Version = Version + 1
    OUTPUT inserted.Version AS NewGrainStateVersion
    WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
      AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
      AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
      AND (GrainIdExtensionString = @GrainIdExtensionString OR (GrainIdExtensionString IS NULL AND @GrainIdExtensionString IS NULL))
      AND Version = @GrainStateVersion;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ReadFromStorageKey', '
  SELECT PayloadBinary, Version
  FROM OrleansStorage
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND (GrainIdExtensionString = @GrainIdExtensionString OR (GrainIdExtensionString IS NULL AND @GrainIdExtensionString IS NULL));
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ClearStorageKey', '
  SET NOCOUNT ON;
  UPDATE OrleansStorage
  SET PayloadBinary = NULL, ModifiedOn = SYSUTCDATETIME(), Version = Version + 1
  OUTPUT inserted.Version AS NewGrainStateVersion
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND (GrainIdExtensionString = @GrainIdExtensionString OR (GrainIdExtensionString IS NULL AND @GrainIdExtensionString IS NULL))
    AND Version = @GrainStateVersion;
');

-- The version after the one deleted is what the provider takes for success.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('DeleteStorageKey', '
  SET NOCOUNT ON;
  DELETE FROM OrleansStorage
  OUTPUT deleted.Version + 1 AS NewGrainStateVersion
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString
    AND (GrainIdExtensionString = @GrainIdExtensionString OR (GrainIdExtensionString IS NULL AND @GrainIdExtensionString IS NULL))
    AND Version = @GrainStateVersion;
');
GO

-- 2. Clustering

-- One row for each cluster. Every change of the membership takes it from one version to the next, which makes the changes
-- follow each other: of two silos that saw the same version one wins, the other reads again.
CREATE TABLE OrleansMembershipVersionTable
(
  DeploymentId NVARCHAR(150) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY,
  Timestamp    DATETIME2(3)  NOT NULL DEFAULT SYSUTCDATETIME(),
  Version      INT           NOT NULL DEFAULT 0
);

CREATE TABLE OrleansMembershipTable
(
  DeploymentId NVARCHAR(150) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Address      VARCHAR(45)   NOT NULL,
  Port         INT           NOT NULL,
  Generation   INT           NOT NULL,
  SiloName     NVARCHAR(150) NOT NULL,
  HostName     NVARCHAR(150) NOT NULL,
  Status       INT           NOT NULL,
  ProxyPort    INT           NULL,
  SuspectTimes VARCHAR(8000) NULL,
  StartTime    DATETIME2(3)  NOT NULL,
  IAmAliveTime DATETIME2(3)  NOT NULL,
  PRIMARY KEY (DeploymentId, Address, Port, Generation)
);
GO

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('InsertMembershipVersionKey', '
  SET NOCOUNT ON;
  BEGIN TRY
    INSERT INTO OrleansMembershipVersionTable (DeploymentId) VALUES (@DeploymentId);
    SELECT 1;
  END TRY
  BEGIN CATCH
    IF ERROR_NUMBER() NOT IN (2601, 2627) THROW;
    SELECT 0;
  END CATCH
');

-- The version row is taken first and held to the end of the transaction: whoever moves it on alone writes the silo's row.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('InsertMembershipKey', '
  SET NOCOUNT ON;
  SET XACT_ABORT ON;
  DECLARE @Done INT;
  BEGIN TRANSACTION;
  UPDATE OrleansMembershipVersionTable
  SET Timestamp = SYSUTCDATETIME(), Version = Version + 1
  WHERE DeploymentId = @DeploymentId AND Version = @Version
    AND NOT EXISTS
    (
      SELECT 1 FROM OrleansMembershipTable
      WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
    );
  SET @Done = @@ROWCOUNT;
  IF @Done = 1
    INSERT INTO OrleansMembershipTable
      (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
    VALUES
      (@DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime);
  COMMIT TRANSACTION;
  SELECT @Done;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('UpdateMembershipKey', '
  SET NOCOUNT ON;
  SET XACT_ABORT ON;
  DECLARE @Done INT;
  BEGIN TRANSACTION;
  UPDATE OrleansMembershipVersionTable
  SET Timestamp = SYSUTCDATETIME(), Version = Version + 1
  WHERE DeploymentId = @DeploymentId AND Version = @Version
    AND EXISTS
    (
      SELECT 1 FROM OrleansMembershipTable
      WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
    );
  SET @Done = @@ROWCOUNT;
  IF @Done = 1
    UPDATE OrleansMembershipTable
    SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = @IAmAliveTime
    WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation;
  COMMIT TRANSACTION;
  SELECT @Done;
');

-- A sign of life changes no membership, so it leaves the version alone.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('UpdateIAmAlivetimeKey', '
  SET NOCOUNT ON;
  UPDATE OrleansMembershipTable
  SET IAmAliveTime = @IAmAliveTime
  WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation;
');

-- The version is returned even while the cluster has no silo. Version and silos are of one moment, whether the database reads row
-- versions or not: the version row is locked first, as by those who change the membership, and held until the silos are read.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('MembershipReadRowKey', '
  SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
         m.StartTime, m.IAmAliveTime, v.Version
  FROM OrleansMembershipVersionTable v WITH (HOLDLOCK)
  LEFT JOIN OrleansMembershipTable m WITH (HOLDLOCK)
    ON m.DeploymentId = v.DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
  WHERE v.DeploymentId = @DeploymentId
  OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('MembershipReadAllKey', '
  SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
         m.StartTime, m.IAmAliveTime, v.Version
  FROM OrleansMembershipVersionTable v WITH (HOLDLOCK)
  LEFT JOIN OrleansMembershipTable m WITH (HOLDLOCK) ON m.DeploymentId = v.DeploymentId
  WHERE v.DeploymentId = @DeploymentId
  OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('GatewaysQueryKey', '
  SELECT Address, ProxyPort, Generation
  FROM OrleansMembershipTable
  WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0;
');

-- 3 is Active: such a silo is declared dead first.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('CleanupDefunctSiloEntriesKey', '
  SET NOCOUNT ON;
  DELETE FROM OrleansMembershipTable
  WHERE DeploymentId = @DeploymentId AND IAmAliveTime < @IAmAliveTime AND Status <> 3;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('DeleteMembershipTableEntriesKey', '
  SET NOCOUNT ON;
  DELETE FROM OrleansMembershipTable WHERE DeploymentId = @DeploymentId;
  DELETE FROM OrleansMembershipVersionTable WHERE DeploymentId = @DeploymentId;
');

-- 3. Identity

-- One row: which database this is. A backup that is restored keeps its id, and so does a clone.
CREATE TABLE ChatterboxDatabase
(
  Singleton INT          NOT NULL PRIMARY KEY CHECK (Singleton = 1),
  Id        NVARCHAR(36) NOT NULL
);

INSERT INTO ChatterboxDatabase (Singleton, Id) VALUES (1, LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')));
