namespace Lockstep.Node.Storage;

/// <summary>
/// The tables of the two stores, version by version. A step that was published is never changed, only followed by another.
/// Amounts are decimal texts of atto-units, CIDs and hashes bytes, times milliseconds since 1970, statuses the numbers of
/// DealStatus, nonces the 64 bits of an unsigned number.
/// </summary>
internal static class StoreSchema
{
    /// <summary>"LKCL".</summary>
    public const int ClientId = 0x4c4b434c;

    /// <summary>"LKPR".</summary>
    public const int ProviderId = 0x4c4b5052;

    private const string Shared = """
        CREATE TABLE proposals (
            deal_id           BLOB    PRIMARY KEY,
            root              BLOB    NOT NULL,
            provider_key      BLOB    NOT NULL,
            client_key        BLOB    NOT NULL,
            price_per_byte    TEXT    NOT NULL,
            unseal_price      TEXT    NOT NULL,
            most_to_pay       TEXT    NOT NULL,
            suite             TEXT    NOT NULL,
            lock_hash         INTEGER NOT NULL,
            chunks_per_window INTEGER NOT NULL,
            open_locks        INTEGER NOT NULL,
            lock_expiry       INTEGER NOT NULL,
            rail              TEXT    NOT NULL,
            selection         INTEGER NOT NULL,
            payer             TEXT    NOT NULL,
            payee             TEXT    NOT NULL,
            valid_until       INTEGER NOT NULL,
            signature         BLOB    NOT NULL
        ) STRICT;

        CREATE TABLE status_history (
            deal_id  BLOB    NOT NULL,
            sequence INTEGER NOT NULL,
            status   INTEGER NOT NULL,
            at_ms    INTEGER NOT NULL,
            PRIMARY KEY (deal_id, sequence)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE wanted (
            deal_id     BLOB    PRIMARY KEY,
            chunk_count INTEGER NOT NULL,
            bitmap      BLOB    NOT NULL
        ) STRICT;

        -- Every seal id and every lock once (docs/protocol.md section 4, I3): offering one again must fail, whatever the program believes.
        CREATE TABLE seals (
            seal_id BLOB NOT NULL UNIQUE,
            lock    BLOB NOT NULL UNIQUE,
            deal_id BLOB NOT NULL
        ) STRICT;

        CREATE TABLE vouchers (
            channel   TEXT    NOT NULL,
            lane      INTEGER NOT NULL,
            nonce     INTEGER NOT NULL,
            deal_id   BLOB    NOT NULL,
            chunk     INTEGER,
            purpose   INTEGER NOT NULL,
            lock_hash INTEGER NOT NULL,
            encoded   BLOB    NOT NULL,
            PRIMARY KEY (channel, lane, nonce)
        ) STRICT;
        CREATE INDEX vouchers_by_deal ON vouchers (deal_id);

        """;

    public static IReadOnlyList<string> Client { get; } =
    [
        Shared + """
        CREATE TABLE deals (
            deal_id              BLOB    PRIMARY KEY REFERENCES proposals (deal_id),
            provider_address     TEXT    NOT NULL,
            status               INTEGER NOT NULL,
            status_count         INTEGER NOT NULL,
            content_size         INTEGER,
            content_chunks       INTEGER,
            content_links        INTEGER,
            content_cold         INTEGER,
            unseal_due           TEXT    NOT NULL,
            channel              TEXT,
            lanes                TEXT    NOT NULL,
            paid                 TEXT    NOT NULL,
            bytes_received       INTEGER NOT NULL,
            chunks_received      INTEGER NOT NULL,
            max_open_locks       INTEGER NOT NULL,
            oldest_chunk         INTEGER NOT NULL,
            stop_status          INTEGER,
            stop_sentence        TEXT,
            sentence             TEXT,
            closing_acknowledged INTEGER NOT NULL,
            created_ms           INTEGER NOT NULL,
            updated_ms           INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE chunks (
            deal_id       BLOB    NOT NULL REFERENCES deals (deal_id),
            chunk         INTEGER NOT NULL,
            statuses      BLOB    NOT NULL,
            finished      INTEGER NOT NULL,
            window        INTEGER NOT NULL,
            cid           BLOB,
            length        INTEGER,
            seal_id       BLOB,
            lock          BLOB,
            nonce         BLOB,
            first_counter INTEGER,
            voucher       BLOB,
            unlocked      BLOB,
            key           BLOB,
            PRIMARY KEY (deal_id, chunk)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE ciphertexts (
            deal_id    BLOB    NOT NULL,
            chunk      INTEGER NOT NULL,
            ciphertext BLOB    NOT NULL,
            PRIMARY KEY (deal_id, chunk)
        ) STRICT;

        CREATE TABLE payer_lanes (
            channel       TEXT    NOT NULL,
            lane          INTEGER NOT NULL,
            last_nonce    INTEGER NOT NULL,
            settled       TEXT    NOT NULL,
            open_nonce    INTEGER,
            open_amount   TEXT,
            open_lock_hash INTEGER,
            open_lock     BLOB,
            open_expiry   INTEGER,
            PRIMARY KEY (channel, lane)
        ) STRICT, WITHOUT ROWID;
        """,

        // Version 2. The bytes of ciphertexts lie in files: opening an older store moves them there (docs/node.md).
        """
        CREATE TABLE held_ciphertexts (
            deal_id BLOB    NOT NULL,
            chunk   INTEGER NOT NULL,
            file    TEXT    NOT NULL,
            start   INTEGER NOT NULL,
            length  INTEGER NOT NULL,
            PRIMARY KEY (deal_id, chunk)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX held_ciphertexts_by_file ON held_ciphertexts (file);
        """,
    ];

    public static IReadOnlyList<string> Provider { get; } =
    [
        Shared + """
        CREATE TABLE deals (
            deal_id        BLOB    PRIMARY KEY REFERENCES proposals (deal_id),
            status         INTEGER NOT NULL,
            status_count   INTEGER NOT NULL,
            content_size   INTEGER NOT NULL,
            content_chunks INTEGER NOT NULL,
            content_links  INTEGER NOT NULL,
            content_cold   INTEGER NOT NULL,
            unseal_due     TEXT    NOT NULL,
            unseal_paid    INTEGER NOT NULL,
            channel        TEXT,
            lanes          TEXT    NOT NULL,
            earned         TEXT    NOT NULL,
            bytes_sold     INTEGER NOT NULL,
            chunks_sold    INTEGER NOT NULL,
            next_window    INTEGER NOT NULL,
            oldest_chunk   INTEGER NOT NULL,
            oldest_kept    INTEGER NOT NULL,
            sentence       TEXT,
            created_ms     INTEGER NOT NULL,
            updated_ms     INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE chunks (
            deal_id         BLOB    NOT NULL REFERENCES deals (deal_id),
            chunk           INTEGER NOT NULL,
            statuses        BLOB    NOT NULL,
            finished        INTEGER NOT NULL,
            window          INTEGER NOT NULL,
            cid             BLOB,
            length          INTEGER,
            seal_id         BLOB,
            lock            BLOB,
            nonce           BLOB,
            first_counter   INTEGER,
            voucher_channel TEXT,
            voucher_lane    INTEGER,
            voucher_nonce   INTEGER,
            PRIMARY KEY (deal_id, chunk)
        ) STRICT, WITHOUT ROWID;

        -- Proof and ciphertexts: version 1 kept them here; opening such a store moves them to files. Locks and keys stay for their payer (I6).
        CREATE TABLE windows (
            deal_id      BLOB    NOT NULL,
            window       INTEGER NOT NULL,
            suite        TEXT    NOT NULL,
            lock_hash    INTEGER NOT NULL,
            proof_length INTEGER NOT NULL,
            signature    BLOB    NOT NULL,
            proof        BLOB,
            PRIMARY KEY (deal_id, window)
        ) STRICT;

        CREATE TABLE sealed_chunks (
            deal_id       BLOB    NOT NULL,
            window        INTEGER NOT NULL,
            position      INTEGER NOT NULL,
            chunk         INTEGER NOT NULL,
            cid           BLOB    NOT NULL,
            length        INTEGER NOT NULL,
            seal_id       BLOB    NOT NULL,
            lock          BLOB    NOT NULL,
            nonce         BLOB    NOT NULL,
            first_counter INTEGER NOT NULL,
            key           BLOB    NOT NULL,
            ciphertext    BLOB,
            PRIMARY KEY (deal_id, window, position)
        ) STRICT;
        CREATE UNIQUE INDEX sealed_chunks_by_lock ON sealed_chunks (lock);

        CREATE TABLE lane_owners (
            channel TEXT    NOT NULL,
            lane    INTEGER NOT NULL,
            deal_id BLOB    NOT NULL,
            PRIMARY KEY (channel, lane)
        ) STRICT, WITHOUT ROWID;
        """,

        // Version 2. The bytes of windows lie in files, and windows may be sealed before anybody asks (docs/node.md).
        """
        ALTER TABLE windows ADD COLUMN file TEXT;

        CREATE TABLE ready_windows (
            ready        INTEGER PRIMARY KEY,
            fingerprint  BLOB    NOT NULL,
            proof_length INTEGER NOT NULL,
            file         TEXT    NOT NULL
        ) STRICT;
        CREATE INDEX ready_windows_by_fingerprint ON ready_windows (fingerprint);

        CREATE TABLE ready_chunks (
            ready         INTEGER NOT NULL REFERENCES ready_windows (ready) ON DELETE CASCADE,
            position      INTEGER NOT NULL,
            length        INTEGER NOT NULL,
            seal_id       BLOB    NOT NULL UNIQUE,
            lock          BLOB    NOT NULL UNIQUE,
            nonce         BLOB    NOT NULL,
            first_counter INTEGER NOT NULL,
            key           BLOB    NOT NULL,
            PRIMARY KEY (ready, position)
        ) STRICT, WITHOUT ROWID;
        """,
    ];
}
