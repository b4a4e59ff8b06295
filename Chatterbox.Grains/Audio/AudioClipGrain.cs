using System.Security.Cryptography;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// An audio clip: a single row for one piece; for more, a row per piece and a head row that is completed last. No clip bytes stay
/// in memory: they are processed a piece at a time.
/// </summary>
/// <remarks>
/// Reentrant, so that the ledger can call it during its own admission call; row reads and writes are serialized.
/// </remarks>
[Reentrant, GrainType("chatterbox.clip")]
internal sealed class AudioClipGrain([FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage)
    : Grain, IAudioClipGrain, IClipKeeping
{
    private readonly Turns _turns = new();

    /// <summary>The upload in progress of a one-piece clip, which writes nothing to storage before it is complete.</summary>
    private UploadRequest? _begun;

    private string Key => this.GetPrimaryKeyString();

    private string User => AudioClipKey.Split(Key).User;

    private string Hash => AudioClipKey.Split(Key).Hash;

    public async Task<PutClipReply> PutAsync(Immutable<byte[]> clip, string mediaType)
    {
        var upload = await BeginUploadAsync(new(SessionId.DefaultStore, clip.Value?.Length ?? 0, mediaType));
        if (upload.Refused is not null || upload.Stored is not null)
            return new(upload.Stored, upload.Refused) { Quota = upload.Quota };
        foreach (var piece in upload.Missing)
        {
            var bytes = clip.Value!.AsSpan(piece * AudioPieces.Bytes, AudioPieces.LengthOf(piece, clip.Value!.Length)).ToArray();
            var put = await PutPieceAsync(piece, new(bytes));
            if (put.Refused is not null) return new(null, put.Refused);
        }
        return await CompleteUploadAsync();
    }

    public async Task<BeginUploadReply> BeginUploadAsync(UploadRequest request)
    {
        if (Check(request) is { } wrong) return new() { Refused = wrong };
        if (await DescribeAsync() is { } stored && stored.Length != request.Length)
        {
            return new()
            {
                Refused = new(
                    "audio", $"{request.Length}", $"{stored.Length} bytes, the length of the stored clip of this SHA-256"),
            };
        }

        // First, so that a clip that is found stored below is not deleted before the caller can refer to it.
        var admission = await GrainFactory.GetGrain<IClipHolder>(new SessionId(User, request.Store).Key)
            .AdmitClipAsync(Hash, request.Length);
        return admission.Refused is { } refused
            ? new() { Refused = refused, Quota = admission.Quota }
            : await _turns.RunAsync(() => BeginAsync(request));
    }

    public Task<PutPieceReply> PutPieceAsync(int piece, Immutable<byte[]> bytes) =>
        _turns.RunAsync(() => PutAsync(piece, bytes.Value));

    public Task<PutClipReply> CompleteUploadAsync() => _turns.RunAsync(CompleteAsync);

    public async Task<GetClipReply> GetAsync()
    {
        var (row, head, whole) = await ReadAsync();
        if (whole is { } stored)
            return Matches(stored.Clip) ? new(stored.Clip, stored.MediaType, null) : new(null, null, Damaged);
        if (row.Length > 0 && head is null) return new(null, null, Damaged);
        if (head is not { State: ClipState.Stored }) return new(null, null, null);

        var clip = new byte[head.Audio.Length];
        for (var piece = 0; piece < head.Pieces; piece++)
        {
            if (await ReadPieceAsync(head, piece) is not { } bytes) return new(null, null, Damaged);
            bytes.CopyTo(clip, piece * head.PieceBytes);
        }
        return Matches(clip) ? new(clip, head.Audio.MediaType, null) : new(null, null, Damaged);
    }

    public async Task<GetPieceReply> GetPieceAsync(int piece)
    {
        var (row, head, whole) = await ReadAsync();
        if (whole is { } stored)
        {
            if (!Matches(stored.Clip)) return new(null, null, Damaged);
            var audio = WavHeader.Describe(stored.Clip, stored.Clip.Length, Hash, stored.MediaType);
            if (piece < 0 || piece >= AudioPieces.CountOf(audio.Length))
                return new(null, null, NoPiece(piece, AudioPieces.CountOf(audio.Length)));
            return new(audio, stored.Clip.AsSpan(piece * AudioPieces.Bytes, AudioPieces.LengthOf(piece, audio.Length)).ToArray());
        }
        if (row.Length > 0 && head is null) return new(null, null, Damaged);
        if (head is not { State: ClipState.Stored }) return new(null, null);
        if (piece < 0 || piece >= head.Pieces) return new(null, null, NoPiece(piece, head.Pieces));
        return await ReadPieceAsync(head, piece) is { } bytes ? new(head.Audio, bytes) : new(null, null, Damaged);
    }

    public async Task<AudioRef?> DescribeAsync()
    {
        var (_, head, whole) = await ReadAsync();
        return whole is { } stored
            ? Matches(stored.Clip) ? WavHeader.Describe(stored.Clip, stored.Clip.Length, Hash, stored.MediaType) : null
            : head is { State: ClipState.Stored } ? head.Audio : null;
    }

    public Task<string?> GetVersionAsync() => _turns.RunAsync(async () =>
    {
        var (row, _, _) = await ReadAsync();
        return row.Length > 0 ? row.ETag : null;
    });

    public Task RenewAsync() => _turns.RunAsync(async () =>
    {
        var row = HeadRow;
        if (await row.ReadAsync() is { } bytes) await row.WriteAsync(bytes);
    });

    public Task<bool> DeleteAsync(string? version) => _turns.RunAsync(async () =>
    {
        var (row, head, _) = await ReadAsync();
        if (row.Length == 0) return true;
        if (row.ETag != version && head is not { State: ClipState.Deleting }) return false;
        await DeleteAsync(row, head);
        return true;
    });

    private async Task<BeginUploadReply> BeginAsync(UploadRequest request)
    {
        var (row, head, whole) = await ReadAsync();
        if (whole is { } stored && Matches(stored.Clip))
        {
            return new() { Stored = WavHeader.Describe(stored.Clip, stored.Clip.Length, Hash, stored.MediaType) };
        }
        if (head is { State: ClipState.Stored } && await HashAsync(head) is { Hash: var hash } && hash == Hash)
            return new() { Stored = head.Audio };

        _begun = request;
        if (head is { State: ClipState.Uploading, PieceBytes: AudioPieces.Bytes } && head.Audio.Length == request.Length)
        {
            return new() { Missing = await MissingAsync(head) };
        }
        // The stored rows are not this clip: damaged, an upload of another length, or half deleted. The new upload replaces them.
        if (head is not null) await DeleteAsync(row, head);
        var pieces = AudioPieces.CountOf(request.Length);
        if (pieces > 1)
        {
            var audio = new AudioRef { Hash = Hash, Length = request.Length, MediaType = request.MediaType };
            await row.WriteAsync(new ClipHead(ClipState.Uploading, Guid.NewGuid().ToString("N")[..12], AudioPieces.Bytes, audio)
                .Encode());
        }
        return new() { Missing = Enumerable.Range(0, pieces).ToValueList() };
    }

    private async Task<PutPieceReply> PutAsync(int piece, byte[]? bytes)
    {
        var (row, head, whole) = await ReadAsync();
        if (head is { State: ClipState.Stored } || (whole is { } stored && Matches(stored.Clip))) return new();

        var length = head is { State: ClipState.Uploading } ? head.Audio.Length : _begun?.Length;
        if (length is null || (head is null && AudioPieces.CountOf(length.Value) > 1)) return new(Unknown: true);
        if (piece < 0 || piece >= AudioPieces.CountOf(length.Value))
            return new(NoPiece(piece, AudioPieces.CountOf(length.Value)));
        if (bytes?.Length != AudioPieces.LengthOf(piece, length.Value))
        {
            return new(new("piece", $"{bytes?.Length ?? 0} bytes in piece {piece}",
                $"{AudioPieces.LengthOf(piece, length.Value)} bytes"));
        }
        if (head is null)
        {
            if (!Matches(bytes)) return new(WrongHash);
            await row.WriteAsync(ClipFrame.Encode(bytes, _begun!.MediaType));
            return new();
        }
        var pieceRow = new StoredRow(storage, this.GetGrainId(), head.RowOf(piece));
        if (await pieceRow.ReadAsync() is not { } before || !before.AsSpan().SequenceEqual(bytes))
            await pieceRow.WriteAsync(bytes);
        return new();
    }

    private async Task<PutClipReply> CompleteAsync()
    {
        var (row, head, whole) = await ReadAsync();
        if (whole is { } stored && Matches(stored.Clip))
        {
            _begun = null;
            return new(WavHeader.Describe(stored.Clip, stored.Clip.Length, Hash, stored.MediaType), null);
        }
        if (head is { State: ClipState.Stored }) return new(head.Audio, null);
        if (head is not { State: ClipState.Uploading })
            return new(null, null) { Unknown = _begun is null, Missing = _begun is null ? [] : [0] };
        if (await MissingAsync(head) is { Count: > 0 } missing) return new(null, null) { Missing = missing };

        // The hash of the stored bytes, not of the sent ones: downloads read the stored bytes.
        var (hash, start) = await HashAsync(head) ?? throw new InvalidOperationException($"A piece of {Key} is missing.");
        if (hash != Hash)
        {
            await DeleteAsync(row, head);
            return new(null, WrongHash);
        }
        var audio = WavHeader.Describe(start, head.Audio.Length, Hash, head.Audio.MediaType);
        await row.WriteAsync((head with { State = ClipState.Stored, Audio = audio }).Encode());
        _begun = null;
        return new(audio, null);
    }

    // The head is deleted last, so that an interrupted deletion is known and can be resumed.
    private async Task DeleteAsync(StoredRow row, ClipHead? head)
    {
        if (head is not null)
        {
            if (head.State is not ClipState.Deleting) await row.WriteAsync((head with { State = ClipState.Deleting }).Encode());
            for (var piece = 0; piece < head.Pieces; piece++)
            {
                var pieceRow = new StoredRow(storage, this.GetGrainId(), head.RowOf(piece));
                if (await pieceRow.ReadAsync() is not null) await pieceRow.ClearAsync();
            }
        }
        await row.ClearAsync();
    }

    private StoredRow HeadRow => new(storage, this.GetGrainId(), "clip");

    private Rejection Damaged =>
        new("audio", $"damaged ({Hash}); its bytes are kept", "intact in storage");

    private Rejection WrongHash => Rejection.OfText("audio", Hash, "the SHA-256 of the clip that is sent");

    private async Task<(StoredRow Row, ClipHead? Head, (byte[] Clip, string MediaType)? Whole)> ReadAsync()
    {
        var row = HeadRow;
        if (await row.ReadAsync() is not { } bytes) return (row, null, null);
        return ClipFrame.TryDecode(bytes, out var mediaType, out var clip)
            ? (row, null, (clip, mediaType))
            : (row, ClipHead.Decode(bytes), null);
    }

    private Task<byte[]?> ReadPieceAsync(ClipHead head, int piece) =>
        new StoredRow(storage, this.GetGrainId(), head.RowOf(piece)).ReadAsync();

    private async Task<ValueList<int>> MissingAsync(ClipHead head)
    {
        var missing = new List<int>();
        for (var piece = 0; piece < head.Pieces; piece++)
        {
            if ((await ReadPieceAsync(head, piece))?.Length != head.LengthOf(piece)) missing.Add(piece);
        }
        return missing.ToValueList();
    }

    /// <summary>The hash of all pieces, and the first piece; null when one is missing.</summary>
    private async Task<(string Hash, byte[] Start)?> HashAsync(ClipHead head)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] start = [];
        for (var piece = 0; piece < head.Pieces; piece++)
        {
            if (await ReadPieceAsync(head, piece) is not { } bytes) return null;
            if (piece == 0) start = bytes;
            hash.AppendData(bytes);
        }
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), start);
    }

    private Rejection? Check(UploadRequest request)
    {
        if (Text.CheckUserId(User) is not null || Hash.Length != 64 || !Hash.All(char.IsAsciiHexDigitLower))
        {
            return Rejection.OfText("clip", Key, "user/sha256");
        }
        if (request.Length is < 1 or > Limits.ClipBytes)
        {
            return new("audio", $"{request.Length}", $"1 to {Limits.ClipBytes} bytes");
        }
        return Text.CheckStore(request.Store) ?? Text.CheckMediaType("mediaType", request.MediaType);
    }

    private static Rejection NoPiece(int piece, int pieces) => new("piece", $"{piece}", $"0 to {pieces - 1}");

    private bool Matches(byte[] clip) => Convert.ToHexStringLower(SHA256.HashData(clip)) == Hash;
}
