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

    // A command whose results are events must not wait for their reader at its end either.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private Func<bool> _isFree = static () => true;

    public bool IsJson { get; } = json;

    /// <summary>Writes the command's result: the value for machines, the lines for people.</summary>
    public void Result(object value, params IEnumerable<string> lines)
    {
        foreach (string line in Lines(value, lines))
            Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    /// <summary>Gives the standard output to events, until they are disposed: handing one over never waits for a reader.</summary>
    public EventLines BeginEvents()
    {
        var events = new EventLines(Console.Out, dropped => Lines(new { dropped }, [$"{dropped} lines were dropped, since nobody read them"]).First(), Patience);
        _isFree = () => events.HasEnded;
        return events;
    }

    /// <summary>A value as the lines that are written for it.</summary>
    public IEnumerable<string> Lines(object value, params IEnumerable<string> lines) => IsJson ? [JsonSerializer.Serialize(value, Options)] : lines;

    /// <summary>A value as machines are given it.</summary>
    public static JsonElement ToJson(object value) => JsonSerializer.SerializeToElement(value, Options);

    /// <summary>Says something beside the result, for people only.</summary>
    public void Note(string line)
    {
        if (!IsJson)
            Console.Error.WriteLine(line);
    }

    /// <summary>Writes a failure: one sentence.</summary>
    public void Error(string code, string sentence)
    {
        // While somebody who does not read keeps the output busy, nothing more can be said there.
        if (IsJson && _isFree())
            Console.Out.WriteLine(JsonSerializer.Serialize(new { error = new { code, message = sentence } }, Options));
        Console.Error.WriteLine($"error: {sentence}");
    }
}
