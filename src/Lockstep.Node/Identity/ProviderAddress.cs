using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lockstep.Node.Identity;

/// <summary>
/// Where a provider is and who it is: <c>lockstep://HOST:PORT/FINGERPRINT</c>. The fingerprint is that of the provider's
/// identity key, so whoever has the address can tell the provider from anyone in between (docs/protocol.md section 3).
/// </summary>
/// <param name="Host">A name, an IPv4 address, or an IPv6 address without brackets.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Provider">The provider's identity key.</param>
public sealed record ProviderAddress(string Host, int Port, KeyFingerprint Provider)
{
    private const string Scheme = "lockstep://";
    private const int MaxTextLength = 512;

    /// <summary>Reads an address; on failure <paramref name="error"/> is one sentence for people.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ProviderAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        error = null;
        string shown = text is null ? "" : text.Length <= MaxTextLength ? text : text[..64] + "…";
        if (text is null || text.Length > MaxTextLength || !text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            error = $"'{shown}' is not a provider's address; expected lockstep://HOST:PORT/FINGERPRINT, as `serve` prints it.";
            return false;
        }

        string rest = text[Scheme.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !KeyFingerprint.TryParse(rest.AsSpan(slash + 1), out KeyFingerprint? provider))
        {
            error = $"The address '{shown}' does not end in a key's fingerprint (52 characters a-z and 2-7 after the port); copy it whole.";
            return false;
        }

        string place = rest[..slash];
        int colon = place.LastIndexOf(':');
        string host = colon < 0 ? "" : place[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed)
            host = host[1..^1];
        UriHostNameType kind = Uri.CheckHostName(host);
        bool isHost = bracketed ? kind == UriHostNameType.IPv6 : kind is UriHostNameType.Dns or UriHostNameType.IPv4;
        if (!isHost
            || !int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port is < 1 or > 65535)
        {
            error = $"The address '{shown}' has no HOST:PORT with a port from 1 to 65535 after lockstep://; copy it whole.";
            return false;
        }

        address = new ProviderAddress(host, port, provider);
        return true;
    }

    /// <summary>The base of the provider's gRPC service.</summary>
    public Uri ToHttps() => new UriBuilder("https", Host, Port).Uri;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Scheme}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}/{Provider}");
}
