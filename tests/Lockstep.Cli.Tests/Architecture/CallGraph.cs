using System.Reflection;
using System.Reflection.Emit;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>Which types of an assembly a piece of its code can reach, read from the compiled methods.</summary>
internal static class CallGraph
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>
    /// The types of <paramref name="assembly"/> reached from <paramref name="roots"/>, with the method that reached each. Methods
    /// are followed one by one; of a type that is reached only the methods that are called, and its type initializer.
    /// </summary>
    public static IReadOnlyDictionary<Type, string> Reach(Assembly assembly, IEnumerable<MethodBase> roots)
    {
        var reached = new Dictionary<Type, string>();
        var seen = new HashSet<MethodBase>();
        var waiting = new Queue<MethodBase>(roots);
        while (waiting.TryDequeue(out MethodBase? method))
        {
            if (!seen.Add(method))
                continue;
            foreach (MemberInfo member in Members(method))
            {
                Type? owner = member as Type ?? member.DeclaringType;
                if (owner is null)
                    continue;
                owner = owner.IsConstructedGenericType ? owner.GetGenericTypeDefinition() : owner;
                if (owner.Assembly != assembly)
                    continue;
                if (reached.TryAdd(owner, $"{method.DeclaringType?.FullName}.{method.Name}") && owner.TypeInitializer is { } initializer)
                    waiting.Enqueue(initializer);
                if (member is MethodBase called)
                    waiting.Enqueue(called);

                // A call through an interface or a base class may end in any of its implementations.
                if (member is MethodInfo { IsVirtual: true } open)
                    foreach (MethodInfo target in Overrides(assembly, open))
                        waiting.Enqueue(target);
            }
        }

        return reached;
    }

    public static IEnumerable<MethodBase> Methods(Type type) => type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All));

    private static IEnumerable<MethodInfo> Overrides(Assembly assembly, MethodInfo open) => assembly.GetTypes()
        .Where(type => open.DeclaringType!.IsAssignableFrom(type) && type != open.DeclaringType)
        .SelectMany(type => type.GetMethods(All))
        .Where(method => method.IsVirtual && (method.Name == open.Name || method.Name.EndsWith("." + open.Name, StringComparison.Ordinal)));

    private static IEnumerable<MemberInfo> Members(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } bytes)
            yield break;
        Type[] typeArguments = method.DeclaringType?.GetGenericArguments() ?? [];
        Type[] methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < bytes.Length;)
        {
            short value = bytes[at++];
            if (value == 0xfe)
                value = (short)(0xfe00 | bytes[at++]);
            OpCode code = Codes[value];
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok
                && method.Module.ResolveMember(BitConverter.ToInt32(bytes, at), typeArguments, methodArguments) is { } member)
                yield return member;
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(bytes, at)),
                _ => 4,
            };
        }
    }
}
