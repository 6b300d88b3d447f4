using Grpc.Core;
using Lockstep.Node.Identity;
using Lockstep.Node.Transport;

namespace Lockstep.Node.Tests.Support;

/// <summary>A service for tests of the transport alone: answers with the bytes it got, or with the caller's key.</summary>
public class EchoService : EchoServiceBase
{
    public override Task<byte[]> Echo(byte[] request, ServerCallContext context) => Task.FromResult(request);

    public override Task<byte[]> Who(byte[] request, ServerCallContext context)
    {
        KeyFingerprint? key = RpcHost.ClientKey(context.GetHttpContext());
        return Task.FromResult(key?.Bytes.ToArray() ?? []);
    }
}

/// <summary>What a generator would write for the service.</summary>
[BindServiceMethod(typeof(EchoServiceBase), nameof(Bind))]
public abstract class EchoServiceBase
{
    private const string Name = "lockstep.test.Echo";
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(static bytes => bytes, static bytes => bytes);

    public static Method<byte[], byte[]> EchoMethod { get; } = new(MethodType.Unary, Name, nameof(Echo), Bytes, Bytes);

    public static Method<byte[], byte[]> WhoMethod { get; } = new(MethodType.Unary, Name, nameof(Who), Bytes, Bytes);

    public static void Bind(ServiceBinderBase binder, EchoServiceBase? service)
    {
        binder.AddMethod(EchoMethod, service is null ? null : service.Echo);
        binder.AddMethod(WhoMethod, service is null ? null : service.Who);
    }

    public abstract Task<byte[]> Echo(byte[] request, ServerCallContext context);

    public abstract Task<byte[]> Who(byte[] request, ServerCallContext context);
}
