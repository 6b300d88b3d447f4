using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>Dependencies go one way, and what decides does no I/O of its own (ARCHITECTURE.md).</summary>
public class ProjectEdgeTests
{
    public static TheoryData<string, string[]> Edges => new()
    {
        { "Proofs", [] },
        { "Content", [] },
        { "Payments", [] },
        { "Retrieval", ["Content", "Payments", "Proofs"] },
        { "Node", ["Retrieval"] },
        { "Cli", ["Node"] },
    };

    [Theory]
    [MemberData(nameof(Edges))]
    public void AProjectRefersToItsOwnAllowedOnes(string project, string[] allowed)
    {
        XDocument file = XDocument.Load(Path.Combine(SourceTree.Root, "src", $"Lockstep.{project}", $"Lockstep.{project}.csproj"));
        string[] referred = [.. file.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)["Lockstep.".Length..]).Order()];
        Assert.Equal(allowed, referred);
    }

    [Theory]
    [InlineData("Proofs")]
    [InlineData("Content")]
    [InlineData("Payments")]
    [InlineData("Retrieval")]
    public void WhatDecidesHasNoClockSocketOrLog(string project)
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, $"Lockstep.{project}.dll")));
        MetadataReader metadata = file.GetMetadataReader();
        var forbidden = new List<string>();
        foreach (TypeReferenceHandle handle in metadata.TypeReferences)
        {
            TypeReference type = metadata.GetTypeReference(handle);
            string space = metadata.GetString(type.Namespace), name = metadata.GetString(type.Name);
            if (space.StartsWith("System.Net", StringComparison.Ordinal) || space.StartsWith("Microsoft.Extensions.Logging", StringComparison.Ordinal)
                || (space, name) is ("System", "Console") or ("System.Diagnostics", "Stopwatch") or ("System.Threading", "Timer"))
                forbidden.Add($"{space}.{name}");
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (metadata.GetString(member.Name) is "get_UtcNow" or "get_Now" or "get_TickCount64" or "get_System")
                forbidden.Add(metadata.GetString(member.Name));
        }

        Assert.Empty(forbidden);
    }
}
