//! An end of a connection, as rustls has it without buffers of its own.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::UnbufferedStatus;
use rustls::{CommonState, Error, ExtractedSecrets};

/// Client or server.
pub trait End {
    /// The data that only that end has.
    type Data;

    /// Goes on with what `incoming` begins with.
    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// The facts of a connection that both ends know: version, cipher, group, how it was opened.
    fn common(&self) -> &CommonState;

    /// The secrets of both directions, with the numbers of their next records.
    ///
    /// # Errors
    ///
    /// A handshake that is not done.
    fn into_secrets(self) -> Result<ExtractedSecrets, Error>;
}

macro_rules! ends {
    ($($connection:ty: $data:ty),+) => {$(
        impl End for $connection {
            type Data = $data;

            #[inline]
            fn process<'c, 'i>(
                &'c mut self,
                incoming: &'i mut [u8],
            ) -> UnbufferedStatus<'c, 'i, Self::Data> {
                self.process_tls_records(incoming)
            }

            fn common(&self) -> &CommonState {
                self
            }

            fn into_secrets(self) -> Result<ExtractedSecrets, Error> {
                self.dangerous_into_kernel_connection().map(|(secrets, _)| secrets)
            }
        }
    )+};
}

ends!(
    UnbufferedClientConnection: ClientConnectionData,
    UnbufferedServerConnection: ServerConnectionData
);
