namespace Lockstep.Node;

/// <summary>What kind of thing went wrong on a node; programs decide by it, people read the exception's message.</summary>
public enum NodeFault
{
    /// <summary>Anything that has no kind of its own.</summary>
    Unusable,

    /// <summary>A file or folder of the home cannot be read or written.</summary>
    HomeUnusable,

    /// <summary>Another process works on this home.</summary>
    HomeInUse,

    /// <summary>A file of the home is not what it should be.</summary>
    Damaged,

    /// <summary>A file of the home was written by a newer version.</summary>
    NewerFormat,

    /// <summary>The disk is full.</summary>
    DiskFull,

    /// <summary>The settings, or an option, hold a value out of range.</summary>
    BadSetting,

    /// <summary>An address does not have the form of one.</summary>
    BadAddress,

    /// <summary>The address to listen on is taken or is not this machine's.</summary>
    CannotListen,

    /// <summary>Nobody answers at the provider's address.</summary>
    PeerUnreachable,

    /// <summary>Whoever answers at the address is not the provider that the address names.</summary>
    PeerIdentity,

    /// <summary>The peer answered with something that no honest peer sends.</summary>
    PeerMisbehaved,

    /// <summary>The peer answered that it will not.</summary>
    PeerRefused,

    /// <summary>What was asked for costs more than the user will pay.</summary>
    OverLimit,

    /// <summary>There is not enough money for what was asked.</summary>
    InsufficientFunds,

    /// <summary>The content, block or deal that was asked for is not here.</summary>
    NotFound,

    /// <summary>Content is damaged, malformed or beyond the limits.</summary>
    Content,

    /// <summary>The ledger is not the one that a deal was made on.</summary>
    WrongLedger,
}

/// <summary>A node cannot go on. The message is one sentence for people: what was wrong, what was expected, what to do.</summary>
public sealed class NodeException : Exception
{
    public NodeException()
    {
    }

    public NodeException(string message)
        : base(message)
    {
    }

    public NodeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public NodeException(NodeFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    public NodeFault Fault { get; } = NodeFault.Unusable;
}
