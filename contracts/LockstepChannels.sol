// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.30;

/// @title Payment channels from one payer to one payee, with hash-locked vouchers.
/// @notice The rules of Lockstep's channels on an EVM chain (docs/rails.md). Nobody owns this contract, nobody can change it,
/// and nothing but the two parties' signatures and time moves a channel's money.
///
/// A voucher promises a lane's cumulative amount. Redeeming one shows the secret of its lock, in an event, for good: that is how
/// a payer gets the key that it paid for. Amounts on a lane only rise; what the payee may take is the sum over all lanes.
/// Either party may settle; after `settleDelay` blocks, in which vouchers are still redeemed, either may collect.
contract LockstepChannels {
    struct Channel {
        address payer; // Zero once the channel is closed.
        uint64 settlingAt; // The block from which it is collected and no longer redeemed; 0 while nobody has settled.
        uint32 lanesEnd; // One above the highest lane redeemed.
        address payee;
        uint64 openedAt; // The block in which it was opened.
        uint128 balance; // Everything paid in.
        uint128 owed; // The part of it that redeemed vouchers give to the payee.
        address token; // Zero for the chain's own currency.
        uint48 previousOfPayer; // The payer's channel before this one, 0 for none.
        uint48 previousOfPayee;
    }

    struct Lane {
        uint128 amount; // Cumulative.
        uint64 nonce; // Of the voucher that brought it there.
    }

    /// @dev A voucher with its signature and, where it is locked, the secret.
    struct Claim {
        uint64 lane;
        uint64 nonce;
        uint128 amount;
        bytes32 lock; // SHA-256 of the secret; zero for none.
        uint64 expiry; // The last block in which it can be redeemed; zero for none.
        bytes32 secret;
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    event Opened(uint256 indexed channel, address indexed payer, address indexed payee, address token, uint256 amount);
    event ToppedUp(uint256 indexed channel, uint256 amount);
    event Redeemed(uint256 indexed channel, uint64 indexed lane, uint64 nonce, uint256 amount, bytes32 lock, bytes32 secret);
    event Settling(uint256 indexed channel, uint64 at);
    event Closed(uint256 indexed channel, uint256 toPayee, uint256 toPayer);
    event Credited(address indexed account, address indexed token, uint256 amount);
    event Withdrawn(address indexed account, address indexed token, uint256 amount);

    error Reentered();
    error BadParties();
    error BadAmount();
    error BadTransfer();
    error UnknownChannel();
    error NotAParty();
    error NotThePayee();
    error AlreadySettling();
    error NotSettling();
    error TooEarly(uint64 at);
    error ChannelSettled();
    error NothingToRedeem();
    error BadLane(uint256 index);
    error StaleNonce(uint256 index);
    error AmountNotRaised(uint256 index);
    error VoucherExpired(uint256 index);
    error WrongSecret(uint256 index);
    error BadSignature(uint256 index);
    error NotCovered(uint256 index);
    error DeadlinePassed();
    error BelowOwed();
    error NothingToWithdraw();
    error BadDelay();

    bytes32 private constant DOMAIN = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Lockstep");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant VOUCHER = keccak256("Voucher(uint256 channel,uint64 lane,uint64 nonce,uint256 amount,bytes32 lock,uint64 expiry)");
    bytes32 private constant CLOSE = keccak256("Close(uint256 channel,uint256 toPayee,uint64 deadline)");
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint64 private constant MAX_LANES = 1 << 16;
    uint64 private constant MAX_DELAY = 10_000_000;

    /// @notice Blocks between settling and collecting.
    uint64 public immutable settleDelay;

    /// @notice Channels opened so far; ids count from 1.
    uint48 public channelCount;

    // Storage and not transient storage: FEVM and older chains.
    uint8 private entered = 1;

    mapping(uint256 channel => Channel) private channels;
    mapping(uint256 channel => mapping(uint64 lane => Lane)) private lanes;
    mapping(address payer => uint48) private newestOfPayer;
    mapping(address payee => uint48) private newestOfPayee;

    /// @notice Money of closed channels that could not be sent: `withdraw` fetches it.
    mapping(address account => mapping(address token => uint256)) public credits;

    modifier once() {
        if (entered != 1) revert Reentered();
        entered = 2;
        _;
        entered = 1;
    }

    constructor(uint64 delay) {
        // One that never ends would lock money for ever.
        if (delay == 0 || delay > MAX_DELAY) revert BadDelay();
        settleDelay = delay;
    }

    // ---- Opening and topping up ----------------------------------------------------------------------------------------

    /// @notice Opens a channel to `payee` and pays `amount` in: with the call for the chain's own currency (`token` zero), else
    /// from the caller's allowance. A token that delivers another amount than it was told to is refused.
    function open(address payee, address token, uint256 amount) external payable once returns (uint256 id) {
        if (payee == address(0) || payee == msg.sender || payee == address(this)) revert BadParties();
        _take(token, amount);
        id = ++channelCount;
        Channel storage channel = channels[id];
        channel.payer = msg.sender;
        channel.payee = payee;
        channel.openedAt = uint64(block.number);
        channel.balance = uint128(amount);
        channel.token = token;
        channel.previousOfPayer = newestOfPayer[msg.sender];
        channel.previousOfPayee = newestOfPayee[payee];
        newestOfPayer[msg.sender] = uint48(id);
        newestOfPayee[payee] = uint48(id);
        emit Opened(id, msg.sender, payee, token, amount);
    }

    /// @notice Pays more into a channel. Anyone may; the payer gets back what is left of it.
    function topUp(uint256 id, uint256 amount) external payable once {
        Channel storage channel = _open(id);
        _take(channel.token, amount);
        uint256 balance = channel.balance + amount;
        if (balance > type(uint128).max) revert BadAmount();
        channel.balance = uint128(balance);
        emit ToppedUp(id, amount);
    }

    // ---- Redeeming -----------------------------------------------------------------------------------------------------

    /// @notice Redeems vouchers of one channel, all or none. Only the payee may: a stranger with an older voucher could only do
    /// harm. What it gains is paid out by `collect` or `close`.
    function redeem(uint256 id, Claim[] calldata claims) external once {
        Channel storage channel = _open(id);
        if (msg.sender != channel.payee) revert NotThePayee();
        if (channel.settlingAt != 0 && block.number >= channel.settlingAt) revert ChannelSettled();
        if (claims.length == 0) revert NothingToRedeem();
        bytes32 domain = domainSeparator();
        address payer = channel.payer;
        uint256 balance = channel.balance;
        uint256 owed = channel.owed;
        uint32 lanesEnd = channel.lanesEnd;
        for (uint256 i = 0; i < claims.length; ++i) {
            owed += _redeemOne(id, domain, payer, claims[i], i);
            if (owed > balance) revert NotCovered(i);
            if (claims[i].lane >= lanesEnd) lanesEnd = uint32(claims[i].lane + 1);
        }
        channel.owed = uint128(owed);
        if (lanesEnd != channel.lanesEnd) channel.lanesEnd = lanesEnd;
    }

    function _redeemOne(uint256 id, bytes32 domain, address payer, Claim calldata claim, uint256 index) private returns (uint256 gained) {
        if (claim.lane >= MAX_LANES) revert BadLane(index);
        Lane storage lane = lanes[id][claim.lane];
        if (claim.nonce <= lane.nonce) revert StaleNonce(index);
        if (claim.amount <= lane.amount) revert AmountNotRaised(index);
        if (claim.expiry != 0 && block.number > claim.expiry) revert VoucherExpired(index);
        bytes32 secret = claim.lock == 0 ? bytes32(0) : claim.secret;
        if (claim.lock != 0 && sha256(abi.encodePacked(secret)) != claim.lock) revert WrongSecret(index);
        bytes32 promise_ = keccak256(abi.encode(VOUCHER, id, claim.lane, claim.nonce, uint256(claim.amount), claim.lock, claim.expiry));
        if (_signer(domain, promise_, claim.v, claim.r, claim.s) != payer) revert BadSignature(index);
        gained = claim.amount - lane.amount;
        lane.amount = claim.amount;
        lane.nonce = claim.nonce;
        emit Redeemed(id, claim.lane, claim.nonce, claim.amount, claim.lock, secret);
    }

    // ---- The end -------------------------------------------------------------------------------------------------------

    /// @notice Starts the settling period. Either party may, once.
    function settle(uint256 id) external once {
        Channel storage channel = _openTo(id);
        if (channel.settlingAt != 0) revert AlreadySettling();
        uint64 at = uint64(block.number) + settleDelay;
        channel.settlingAt = at;
        emit Settling(id, at);
    }

    /// @notice Pays a channel out after its settling period: to the payee what is owed, to the payer the rest. Either may.
    function collect(uint256 id) external once {
        Channel storage channel = _openTo(id);
        if (channel.settlingAt == 0) revert NotSettling();
        if (block.number < channel.settlingAt) revert TooEarly(channel.settlingAt);
        _close(id, channel, channel.owed);
    }

    /// @notice Pays a channel out at once, as both parties have signed: `toPayee` to the payee, the rest to the payer. Anyone may
    /// bring the signatures. Never less than is owed, so that what the payee redeems after it has signed is not lost.
    function close(uint256 id, uint256 toPayee, uint64 deadline, bytes32[3] calldata payerSignature, bytes32[3] calldata payeeSignature) external once {
        Channel storage channel = _open(id);
        if (block.number > deadline) revert DeadlinePassed();
        if (toPayee < channel.owed) revert BelowOwed();
        if (toPayee > channel.balance) revert NotCovered(0);
        bytes32 domain = domainSeparator();
        bytes32 agreement = keccak256(abi.encode(CLOSE, id, toPayee, deadline));
        if (_signerOf(domain, agreement, payerSignature) != channel.payer) revert BadSignature(0);
        if (_signerOf(domain, agreement, payeeSignature) != channel.payee) revert BadSignature(1);
        _close(id, channel, toPayee);
    }

    /// @notice Fetches what a closed channel could not send to the caller, to an address of the caller's choice.
    function withdraw(address token, address to) external once {
        uint256 amount = credits[msg.sender][token];
        if (amount == 0) revert NothingToWithdraw();
        credits[msg.sender][token] = 0;
        emit Withdrawn(msg.sender, token, amount);
        if (to == address(0) || !_send(token, to, amount)) revert BadTransfer();
    }

    function _close(uint256 id, Channel storage channel, uint256 toPayee) private {
        (address payer, address payee, address token) = (channel.payer, channel.payee, channel.token);
        uint256 toPayer = channel.balance - toPayee;
        // The links stay, so that the parties' other channels are still found.
        channel.payer = address(0);
        channel.settlingAt = 0;
        channel.balance = 0;
        channel.owed = 0;
        emit Closed(id, toPayee, toPayer);
        _pay(token, payee, toPayee);
        _pay(token, payer, toPayer);
    }

    // ---- Money in and out ----------------------------------------------------------------------------------------------

    function _take(address token, uint256 amount) private {
        if (amount == 0 || amount > type(uint128).max) revert BadAmount();
        if (token == address(0)) {
            if (msg.value != amount) revert BadAmount();
            return;
        }
        if (msg.value != 0) revert BadAmount();
        uint256 before = _held(token);
        if (!_call(token, abi.encodeWithSelector(0x23b872dd, msg.sender, address(this), amount))) revert BadTransfer();
        // A token that takes a fee, or gives more, would pay one channel from another.
        if (_held(token) != before + amount) revert BadTransfer();
    }

    // One party must never be able to hold up the other one's money: what cannot be sent waits for its owner. A contract's own
    // code is not run for the chain's currency, since it could use up all gas.
    function _pay(address token, address to, uint256 amount) private {
        if (amount == 0) return;
        bool isPaid = token == address(0) && to.code.length != 0 ? false : _send(token, to, amount);
        if (isPaid) return;
        credits[to][token] += amount;
        emit Credited(to, token, amount);
    }

    function _send(address token, address to, uint256 amount) private returns (bool isSent) {
        if (token != address(0)) return _call(token, abi.encodeWithSelector(0xa9059cbb, to, amount));
        assembly ("memory-safe") {
            isSent := call(gas(), to, amount, 0, 0, 0, 0)
        }
    }

    // Old tokens return nothing, others a boolean; no more than a word of the answer is read.
    function _call(address token, bytes memory data) private returns (bool isDone) {
        if (token.code.length == 0) return false;
        assembly ("memory-safe") {
            mstore(0, 1)
            isDone := call(gas(), token, 0, add(data, 32), mload(data), 0, 32)
            isDone := and(isDone, and(eq(mload(0), 1), or(iszero(returndatasize()), gt(returndatasize(), 31))))
        }
    }

    function _held(address token) private view returns (uint256 amount) {
        if (token.code.length == 0) revert BadTransfer();
        (bool isRead, bytes memory answer) = token.staticcall(abi.encodeWithSelector(0x70a08231, address(this)));
        if (!isRead || answer.length < 32) revert BadTransfer();
        amount = abi.decode(answer, (uint256));
    }

    // ---- Signatures ----------------------------------------------------------------------------------------------------

    /// @notice EIP-712's separator. Asked anew each time, so that a fork of the chain has another one.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, NAME, VERSION, block.chainid, address(this)));
    }

    function _signerOf(bytes32 domain, bytes32 content, bytes32[3] calldata signature) private pure returns (address) {
        return _signer(domain, content, uint8(uint256(signature[2])), signature[0], signature[1]);
    }

    // Zero for a signature that is none, or whose s is in the upper half: each promise has one signature only.
    function _signer(bytes32 domain, bytes32 content, uint8 v, bytes32 r, bytes32 s) private pure returns (address) {
        if (uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(keccak256(abi.encodePacked(hex"1901", domain, content)), v, r, s);
    }

    // ---- Reading -------------------------------------------------------------------------------------------------------

    /// @notice A channel with its lanes, those from `fromLane` on and `laneCount` of them at most. A channel that is closed or was
    /// never opened has a payer of zero. `asOf` is the block that was read.
    function read(uint256 id, uint64 fromLane, uint64 laneCount) external view returns (uint256 asOf, Channel memory channel, Lane[] memory held) {
        asOf = block.number;
        channel = channels[id];
        uint64 end = channel.lanesEnd;
        if (fromLane >= end) return (asOf, channel, held);
        if (laneCount > end - fromLane) laneCount = end - fromLane;
        held = new Lane[](laneCount);
        for (uint64 i = 0; i < laneCount; ++i) held[i] = lanes[id][fromLane + i];
    }

    /// @notice Channels of a payer, or of a payee, that are open: newest first, below the id `before` (0: from the newest), looking
    /// at `count` at most. `next` is the id to go on below; 0 at the end.
    function find(address party, bool asPayee, uint48 before, uint256 count) external view returns (uint256[] memory ids, uint48 next) {
        next = before == 0
            ? (asPayee ? newestOfPayee[party] : newestOfPayer[party])
            : (asPayee ? channels[before].previousOfPayee : channels[before].previousOfPayer);
        ids = new uint256[](count);
        uint256 found = 0;
        uint48 last = before;
        for (; next != 0 && count > 0; --count) {
            Channel storage channel = channels[next];
            if (channel.payer != address(0)) ids[found++] = next;
            last = next;
            next = asPayee ? channel.previousOfPayee : channel.previousOfPayer;
        }
        if (next != 0) next = last;
        assembly ("memory-safe") {
            mstore(ids, found)
        }
    }

    // ---- Channels ------------------------------------------------------------------------------------------------------

    function _open(uint256 id) private view returns (Channel storage channel) {
        channel = channels[id];
        if (channel.payer == address(0)) revert UnknownChannel();
    }

    function _openTo(uint256 id) private view returns (Channel storage channel) {
        channel = _open(id);
        if (msg.sender != channel.payer && msg.sender != channel.payee) revert NotAParty();
    }
}
