using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>A node answered a call with an error of its own.</summary>
public sealed class JsonRpcException : Exception
{
    public JsonRpcException()
    {
    }

    public JsonRpcException(string message)
        : base(message)
    {
    }

    public JsonRpcException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal JsonRpcException(string method, int code, string message, string? data)
        : base(message) => (Method, Code, ErrorData) = (method, code, data);

    /// <summary>What was called.</summary>
    public string Method { get; } = "";

    /// <summary>The node's number for the error.</summary>
    public int Code { get; }

    /// <summary>The error's data where it is text: the bytes of a revert, in hexadecimal.</summary>
    public string? ErrorData { get; }
}

/// <summary>
/// JSON-RPC 2.0 over HTTP to a chain's node. Calls may be made at the same time. A call that cannot be delivered is tried again a
/// few times, unless it must be made once.
/// </summary>
/// <remarks>Whatever keeps the node from answering sensibly becomes a <see cref="RailException"/> with one sentence.</remarks>
public sealed class JsonRpcClient : IDisposable
{
    // The log of a busy block range is some megabytes.
    private const long MaxAnswerBytes = 32L << 20;
    private const int Attempts = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly string _name;
    private long _calls;

    /// <param name="endpoint">An http or https address; a user part in it is refused, a token is passed by itself.</param>
    /// <param name="token">Sent as a bearer token; null for none.</param>
    /// <param name="time">The clock for pauses between attempts.</param>
    /// <param name="timeout">How long one attempt may take.</param>
    public JsonRpcClient(Uri endpoint, string? token, TimeProvider time, TimeSpan? timeout = null)
    {
        if (endpoint is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "" })
            throw new ArgumentException("A node's address is http:// or https://, without a password in it.", nameof(endpoint));
        _time = time;
        // What follows the host may hold a provider's key, so no sentence shows it.
        _name = endpoint.GetLeftPart(UriPartial.Authority);
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
        {
            BaseAddress = endpoint,
            Timeout = timeout ?? TimeSpan.FromSeconds(30),
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>The node in sentences: scheme, host and port.</summary>
    public string Name => _name;

    /// <summary>Calls a method and returns its result.</summary>
    /// <exception cref="JsonRpcException">The node answered with an error.</exception>
    /// <exception cref="RailException">The node cannot be reached, or what it answers is no JSON-RPC.</exception>
    public Task<JsonElement> CallAsync(string method, JsonArray parameters, CancellationToken cancellation) => CallAsync(method, parameters, Attempts, cancellation);

    /// <summary>Calls a method once: where an error must not be the echo of an earlier attempt that came through.</summary>
    /// <exception cref="JsonRpcException">The node answered with an error.</exception>
    /// <exception cref="RailException">The node cannot be reached, or what it answers is no JSON-RPC. Whether it heard is not known.</exception>
    public Task<JsonElement> CallOnceAsync(string method, JsonArray parameters, CancellationToken cancellation) => CallAsync(method, parameters, 1, cancellation);

    private async Task<JsonElement> CallAsync(string method, JsonArray parameters, int attempts, CancellationToken cancellation)
    {
        long id = Interlocked.Increment(ref _calls);
        var request = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters };
        TimeSpan pause = FirstPause;
        for (int attempt = 1; ; attempt++, pause *= 2)
        {
            try
            {
                return await PostAsync(method, id, request, cancellation).ConfigureAwait(false);
            }
            catch (RailException) when (attempt < attempts)
            {
                await Task.Delay(pause, _time, cancellation).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> PostAsync(string method, long id, JsonObject request, CancellationToken cancellation)
    {
        JsonElement answer;
        try
        {
            using HttpResponseMessage response = await _http.PostAsJsonAsync((Uri?)null, request, cancellation).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                throw new RailException($"The node {_name} wants a token for {method}, or another one; set it and try again.");
            // Some nodes send their errors with a status of 4xx, so the body decides where there is one.
            if (!response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType != "application/json")
                throw new RailException($"The node {_name} answered {method} with HTTP status {(int)response.StatusCode}; check its address, or try again later.");
            answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException fault)
        {
            throw new RailException($"The node {_name} cannot be reached ({fault.HttpRequestError}); check that it runs and try again.", fault);
        }
        catch (TaskCanceledException fault) when (!cancellation.IsCancellationRequested)
        {
            throw new RailException($"The node {_name} did not answer {method} within {_http.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s; try again later or use another node.", fault);
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new RailException($"The node {_name} answered {method} with something that is no JSON; check its address.", fault);
        }

        if (answer.ValueKind == JsonValueKind.Object)
        {
            if (answer.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
                throw Error(method, error);
            if (answer.TryGetProperty("result", out JsonElement result) && answer.TryGetProperty("id", out JsonElement answered)
                && answered.ValueKind == JsonValueKind.Number && answered.TryGetInt64(out long answeredId) && answeredId == id)
            {
                return result;
            }
        }

        throw new RailException($"The node {_name} answered {method} with something that is no JSON-RPC; check its address.");
    }

    private static JsonRpcException Error(string method, JsonElement error)
    {
        int code = error.TryGetProperty("code", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int value) ? value : 0;
        string message = error.TryGetProperty("message", out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "no message";
        string? data = error.TryGetProperty("data", out JsonElement bytes) && bytes.ValueKind == JsonValueKind.String ? bytes.GetString() : null;
        return new JsonRpcException(method, code, message.ReplaceLineEndings(" "), data);
    }
}
