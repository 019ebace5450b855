//! The agreement of both ends, as rustls has it.

use pushbench_core::security::Agreed;
use rustls::{CommonState, HandshakeKind};

pub(crate) fn agreed(common: &CommonState) -> Agreed {
    let version = common.protocol_version().map(|version| format!("{version:?}"));
    let cipher = common.negotiated_cipher_suite().map(|it| format!("{:?}", it.suite()));
    let group = common.negotiated_key_exchange_group().map(|it| format!("{:?}", it.name()));
    Agreed {
        version: version.unwrap_or_default(),
        cipher: cipher.unwrap_or_default(),
        group: group.unwrap_or_default(),
    }
}

/// Whether the session of an earlier connection was taken up again.
pub(crate) fn is_resumed(common: &CommonState) -> bool {
    common.handshake_kind() == Some(HandshakeKind::Resumed)
}
