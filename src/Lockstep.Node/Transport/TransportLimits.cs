using Lockstep.Retrieval.Protocol;

namespace Lockstep.Node.Transport;

/// <summary>What either end of a connection allows the other. Fields inside messages have limits of their own (docs/deal.md section 2).</summary>
internal static class TransportLimits
{
    /// <summary>The largest message either way. A receiver refuses a longer one by its declared length, before it allocates.</summary>
    public const int MaxMessageBytes = WireLimits.MaxFrameBytes;

    /// <summary>Connections at one provider.</summary>
    public const int MaxConnections = 1024;

    /// <summary>Calls at one time in one connection.</summary>
    public const int MaxStreamsPerConnection = 32;

    /// <summary>
    /// Bytes that may be on their way in one stream before the receiver has taken them: enough for a window of content
    /// at 100 ms and a gigabit, little enough that a slow reader holds back its sender.
    /// </summary>
    public const int StreamWindowBytes = 8 << 20;

    /// <summary>The same over all streams of a connection.</summary>
    public const int ConnectionWindowBytes = 16 << 20;

    /// <summary>Silence after which a peer is asked whether it is there.</summary>
    public static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(20);

    /// <summary>Silence after that question which ends the connection.</summary>
    public static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Time to connect, TLS included.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Time for a call with one question and one answer.</summary>
    public static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);
}
