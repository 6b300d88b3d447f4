using System.Globalization;
using System.Text.Json;
using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Tests;

/// <summary>The known answers under vectors/filecoin.</summary>
internal static class Vectors
{
    public static JsonElement Vouchers { get; } = Load("paych-vouchers.json");

    public static JsonElement Messages { get; } = Load("filecoin-messages.json");

    public static JsonElement.ArrayEnumerator Each(this JsonElement element, string list) => element.GetProperty(list).EnumerateArray();

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static byte[] Bytes(this JsonElement element, string name) => Convert.FromHexString(element.Text(name));

    public static ulong Unsigned(this JsonElement element, string name) => ulong.Parse(element.Text(name), CultureInfo.InvariantCulture);

    public static long Signed(this JsonElement element, string name) => long.Parse(element.Text(name), CultureInfo.InvariantCulture);

    public static TokenAmount Amount(this JsonElement element, string name) => TokenAmount.ParseAtto(element.Text(name));

    public static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    /// <summary>As EVM tools write bytes.</summary>
    public static string Prefixed(ReadOnlyMemory<byte> bytes) => "0x" + Hex(bytes);

    public static SecpKey KeyNamed(string name) =>
        SecpKey.FromSecret(Vouchers.Each("keys").Single(key => key.Text("name") == name).Bytes("private_key_hex"));

    public static TheoryData<string> Names(JsonElement root, string list) => [.. root.Each(list).Select(entry => entry.Text("name"))];

    public static JsonElement Named(JsonElement root, string list, string name) => root.Each(list).Single(entry => entry.Text("name") == name);

    private static JsonElement Load(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors", "filecoin", file))).RootElement;
}
