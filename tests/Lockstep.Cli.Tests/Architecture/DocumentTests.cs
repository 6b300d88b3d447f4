using System.Text.RegularExpressions;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>Documents refer to what exists.</summary>
public partial class DocumentTests
{
    [Fact]
    public void LinksBetweenDocumentsLeadSomewhere()
    {
        string[] documents = [.. Directory.EnumerateFiles(SourceTree.Root, "*.md"), .. Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md")];
        Assert.NotEmpty(documents);
        var broken = new List<string>();
        foreach (string document in documents)
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                string target = link.Groups[1].Value;
                bool isElsewhere = target.Contains("://", StringComparison.Ordinal) || target.StartsWith('#') || target.StartsWith("mailto:", StringComparison.Ordinal);
                string path = Path.Combine(Path.GetDirectoryName(document)!, target.Split('#')[0]);
                if (!isElsewhere && !Path.Exists(path))
                    broken.Add($"{Path.GetFileName(document)}: {target}");
            }
        }

        Assert.Empty(broken);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
