using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lockstep.Cli.Common;

/// <summary>Where commands write: results on standard output, for people or as one JSON value; everything else on standard error.</summary>
internal sealed class Output(bool json)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public bool IsJson { get; } = json;

    /// <summary>Writes the command's result: the value for machines, the lines for people.</summary>
    public void Result(object value, params IEnumerable<string> lines)
    {
        if (IsJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(value, Options));
        else
            foreach (string line in lines)
                Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    /// <summary>Says something beside the result, for people only.</summary>
    public void Note(string line)
    {
        if (!IsJson)
            Console.Error.WriteLine(line);
    }

    /// <summary>Writes a failure: one sentence.</summary>
    public void Error(string code, string sentence)
    {
        if (IsJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(new { error = new { code, message = sentence } }, Options));
        Console.Error.WriteLine($"error: {sentence}");
    }
}
