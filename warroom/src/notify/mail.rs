//! E-mail through a relay.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{SmtpConfig, SmtpTls};
use crate::limits::{PASSWORD_BYTES_MAX, SEND_MS_MAX};

/// The relay.
pub(super) struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Relay {
    pub(super) fn new(config: &SmtpConfig) -> Result<Self, String> {
        let host = config.host.as_str();
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match config.tls {
            SmtpTls::Tls => Transport::relay(host),
            SmtpTls::StartTls => Transport::starttls_relay(host),
            SmtpTls::None => Ok(Transport::builder_dangerous(host)),
        };
        let mut builder = builder.map_err(|error| crate::said::causes(&error))?;
        builder = builder.timeout(Some(Duration::from_millis(SEND_MS_MAX)));
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(file)) = (&config.user, &config.password_file) {
            let shown = file.display();
            let password = std::fs::read_to_string(file);
            let password = password.map_err(|error| format!("{shown}: {error}"))?;
            let password = password.trim_end_matches(['\r', '\n']);
            if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
                return Err(format!(
                    "{shown}: a password of 1 to {PASSWORD_BYTES_MAX} bytes"
                ));
            }
            builder = builder.credentials(Credentials::new(user.clone(), password.into()));
        }
        let from = config.from.parse::<Mailbox>();
        Ok(Self {
            transport: builder.build(),
            from: from.map_err(|error| error.to_string())?,
        })
    }

    /// Sends a text; the relay has taken it when this is done.
    pub(super) async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), String> {
        let to: lettre::Address = to.parse().map_err(|_| "no address of e-mail".to_owned())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text);
        let message = message.map_err(|error| error.to_string())?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| crate::said::causes(&error))
    }
}
