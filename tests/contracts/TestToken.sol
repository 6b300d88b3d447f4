// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.30;

/// @dev A token that behaves well or in one of the ways that tokens in the wild behave badly.
contract TestToken {
    enum Mode { Plain, Silent, Fee, ReturnsFalse, Reverts, CallsBack }

    Mode public mode;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    mapping(address account => bool) public isFrozen;
    address private target;
    bytes private callback;
    bool private mustSucceed;

    function set(Mode mode_) external {
        mode = mode_;
    }

    function setCallback(address target_, bytes calldata callback_, bool mustSucceed_) external {
        (mode, target, callback, mustSucceed) = (Mode.CallsBack, target_, callback_, mustSucceed_);
    }

    function freeze(address account, bool frozen) external {
        isFrozen[account] = frozen;
    }

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        require(mode != Mode.Reverts && !isFrozen[from] && !isFrozen[to], "frozen");
        if (mode == Mode.ReturnsFalse) _answer(0);
        balanceOf[from] -= amount;
        balanceOf[to] += mode == Mode.Fee ? amount - amount / 100 : amount;
        if (mode == Mode.CallsBack) {
            (bool isDone,) = target.call(callback);
            require(isDone || !mustSucceed, "the callback failed");
        }
        if (mode != Mode.Silent) _answer(1);
    }

    function _answer(uint256 word) private pure {
        assembly {
            mstore(0, word)
            return(0, 32)
        }
    }
}
