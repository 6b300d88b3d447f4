using System.Reflection;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>The edges of ARCHITECTURE.md, held against the built assemblies and the sources.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Lockstep.Proofs"] = [],
        ["Lockstep.Content"] = [],
        ["Lockstep.Payments"] = [],
        ["Lockstep.Retrieval"] = ["Lockstep.Proofs", "Lockstep.Content", "Lockstep.Payments"],
        ["Lockstep.Node"] = ["Lockstep.Retrieval", "Lockstep.Proofs", "Lockstep.Content", "Lockstep.Payments"],
        ["lockstep"] = ["Lockstep.Node", "Lockstep.Retrieval", "Lockstep.Proofs", "Lockstep.Content", "Lockstep.Payments"],
    };

    public static TheoryData<string> Assemblies => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void A_project_references_only_what_lies_below_it(string name)
    {
        string[] references = [.. Assembly.Load(name).GetReferencedAssemblies().Select(r => r.Name!).Where(r => r.StartsWith("Lockstep.", StringComparison.Ordinal))];
        Assert.Empty(references.Except(Allowed[name]));
    }

    [Fact]
    public void The_verifier_uses_nothing_of_the_prover()
    {
        Assembly proofs = Assembly.Load("Lockstep.Proofs");
        Type[] verifier = [.. proofs.GetTypes().Where(type => type.Namespace == "Lockstep.Proofs.Verifier" || type.FullName == "Lockstep.Proofs.WindowVerifier")];
        Assert.NotEmpty(verifier);
        foreach (Type type in verifier)
        {
            foreach (MethodBase method in type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly).OfType<MethodBase>())
                Assert.DoesNotContain(Used(method), used => used.Namespace == "Lockstep.Proofs.Prover");
        }
    }

    [Fact]
    public void The_check_itself_notices_a_use_of_the_prover()
    {
        Type prover = Assembly.Load("Lockstep.Proofs").GetType("Lockstep.Proofs.WindowSealer", throwOnError: true)!;
        Assert.Contains(
            prover.GetMethods(BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.DeclaredOnly).SelectMany(Used),
            used => used.Namespace == "Lockstep.Proofs.Prover");
    }

    // Every type that a method's signature, locals or instructions name.
    private static IEnumerable<Type> Used(MethodBase method)
    {
        foreach (ParameterInfo parameter in method.GetParameters())
            yield return parameter.ParameterType;
        if (method.GetMethodBody() is not { } body)
            yield break;
        foreach (LocalVariableInfo local in body.LocalVariables)
            yield return local.LocalType;
        byte[] code = body.GetILAsByteArray()!;

        // Metadata tokens stand on any byte; one that resolves by chance only makes the check stricter.
        for (int i = 0; i + 4 <= code.Length; i++)
        {
            MemberInfo? member = null;
            try
            {
                member = method.Module.ResolveMember(BitConverter.ToInt32(code, i));
            }
            catch (Exception failure) when (failure is ArgumentException or BadImageFormatException or TypeLoadException or FileNotFoundException)
            {
                // Not a token.
            }

            if (member is Type type)
                yield return type;
            else if (member?.DeclaringType is { } declaring && code[i > 0 ? i - 1 : 0] is 0x28 or 0x6F or 0x73 or 0x7B or 0x7E)
                yield return declaring;
        }
    }
}
