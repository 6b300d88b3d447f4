using System.Reflection;
using Lockstep.Cli.Tests.Support;
using PublicApiGenerator;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>
/// What the libraries offer to others is held against committed lists, so that it never changes unnoticed. Set
/// LOCKSTEP_ACCEPT_API to write them anew, after reading the difference: <c>LOCKSTEP_ACCEPT_API=1 ./run-tests Cli</c>.
/// </summary>
public class PublicSurfaceTests
{
    private const string AcceptVariable = "LOCKSTEP_ACCEPT_API";

    [Theory]
    [InlineData("Lockstep.Proofs")]
    [InlineData("Lockstep.Content")]
    [InlineData("Lockstep.Payments")]
    [InlineData("Lockstep.Retrieval")]
    [InlineData("Lockstep.Node")]
    public void ALibraryOffersWhatIsListed(string library)
    {
        var options = new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
            ExcludeAttributes = ["System.Runtime.CompilerServices.CompilerGeneratedAttribute"],

            // What the protocol compiler generates is tracked by the .proto itself.
            DenyNamespacePrefixes = ["Lockstep.Retrieval.Protocol.Wire"],
        };
        string actual = Assembly.Load(library).GeneratePublicApi(options).ReplaceLineEndings("\n") + "\n";
        string name = $"{library}.v0.txt";
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
            File.WriteAllText(Path.Combine(SourceTree.Root, "tests", "vectors", "public-api", name), actual);
        else
            Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "public-api", name)), actual);
    }
}
