using Lockstep.Content.Cids;
using Lockstep.Node.Identity;

namespace Lockstep.Cli.Common;

/// <summary>Reads what people type or paste; a failure is one sentence and exit code 2.</summary>
internal static class Parsing
{
    public static ProviderAddress Provider(string text) => ProviderAddress.TryParse(text, out ProviderAddress? address, out string? error)
        ? address
        : throw new CliException(ExitCodes.Usage, "address", error);

    public static Cid Cid(string text) => Content.Cids.Cid.TryParse(text, out Cid? cid, out string? error)
        ? cid
        : throw new CliException(ExitCodes.Usage, "cid", error);
}
