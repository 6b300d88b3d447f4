using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lockstep.Node.Transport;

/// <summary>Where a provider listens: <c>HOST:PORT</c>, an IP address or <c>localhost</c>, port 0 for any free one.</summary>
public sealed record ListenAddress(IPAddress Host, int Port)
{
    /// <summary>Reads an address; on failure <paramref name="error"/> is one sentence for people.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ListenAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        error = null;
        int colon = text?.LastIndexOf(':') ?? -1;
        string host = colon < 0 ? "" : text![..colon];
        if (host == "localhost")
            host = "127.0.0.1";
        // IPv6 needs its brackets, or the port could not be told from the last group.
        bool isHost = IPAddress.TryParse(host, out IPAddress? parsed)
            && (parsed.AddressFamily == AddressFamily.InterNetworkV6) == host.StartsWith('[');
        if (!isHost
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > 65535)
        {
            error = $"'{text}' is not a place to listen; expected an IP address or localhost, a colon and a port, as in 127.0.0.1:4410.";
            return false;
        }

        address = new ListenAddress(parsed!, port);
        return true;
    }

    public override string ToString() => new IPEndPoint(Host, Port).ToString();
}
