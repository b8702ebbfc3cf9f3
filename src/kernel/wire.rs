//! Messages as they travel: read with patience for what clients leave out, and sent with our name.

use anyhow::{Context, Result, anyhow};
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::{Connection, RawMessage};
use serde_json::{Value, json};
use zeromq::SocketRecv;

/// The version of the protocol that we speak.
pub const PROTOCOL: &str = "5.5";

/// Waits for one message. An error concerns that message alone: its signature is wrong, or it is
/// none at all. A request whose content we cannot read arrives as an unknown one, so that somebody
/// can say so in a reply.
pub async fn receive<S: SocketRecv>(connection: &mut Connection<S>) -> Result<JupyterMessage> {
    let frames = connection.socket.recv().await.context("the socket failed")?;
    let raw = RawMessage::from_multipart(frames, &connection.mac).map_err(|error| {
        anyhow!("it is not signed with this kernel's key, or cut off ({error})")
    })?;
    parse(raw).context("it is no message of the Jupyter protocol")
}

/// A message that answers another one, or belongs to it.
pub fn child(content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) -> JupyterMessage {
    signed_by_us(JupyterMessage::new(content, Some(parent)))
}

/// A message to everybody who listens, which may belong to another one.
pub fn broadcast(
    content: impl Into<JupyterMessageContent>,
    parent: Option<&JupyterMessage>,
) -> JupyterMessage {
    let mut message = signed_by_us(JupyterMessage::new(content, parent));
    // The first frame is the topic to which clients may subscribe.
    message.zmq_identities = vec![message.header.msg_type.clone().into_bytes().into()];
    message
}

fn signed_by_us(mut message: JupyterMessage) -> JupyterMessage {
    message.header.username = "erm".to_owned();
    message.header.version = PROTOCOL.to_owned();
    message
}

fn parse(raw: RawMessage) -> Result<JupyterMessage> {
    let [header, parent, metadata, content] = &raw.jparts[..4] else {
        return Err(anyhow!("it has fewer than four parts"));
    };
    let header: Header = serde_json::from_slice(header)?;
    let content = complete(&header.msg_type, serde_json::from_slice(content)?);
    let kind = header.msg_type.clone();
    let unknown = UnknownMessage { msg_type: kind.clone(), content: content.clone() };
    let content = JupyterMessageContent::from_type_and_content(&kind, content);
    Ok(JupyterMessage {
        zmq_identities: raw.zmq_identities,
        // An empty parent header means that there is none.
        parent_header: serde_json::from_slice(parent).ok(),
        metadata: serde_json::from_slice(metadata)?,
        content: content.unwrap_or(JupyterMessageContent::UnknownMessage(unknown)),
        buffers: raw.jparts[4..].to_vec(),
        channel: None,
        header,
    })
}

/// The content with what the protocol lets a client leave out.
fn complete(kind: &str, mut content: Value) -> Value {
    let defaults = match kind {
        "execute_request" => json!({
            "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": true,
            "stop_on_error": true,
        }),
        "history_request" => json!({
            "output": false, "raw": true, "session": 0, "start": 0, "stop": i32::MAX,
            "n": i32::MAX, "pattern": "*", "unique": false,
        }),
        "inspect_request" => json!({"detail_level": 0}),
        "shutdown_request" => json!({"restart": false}),
        "comm_open" | "comm_msg" | "comm_close" => json!({"data": {}}),
        _ => json!({}),
    };
    for (name, default) in defaults.as_object().into_iter().flatten() {
        if content.is_object() && content[name].is_null() {
            content[name] = default.clone();
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(kind: &str, content: &str) -> RawMessage {
        let header = json!({
            "msg_id": "1", "username": "u", "session": "s", "msg_type": kind, "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        });
        let parts = [header.to_string(), "{}".to_owned(), "{}".to_owned(), content.to_owned()];
        let parts = parts.into_iter().map(|part| part.into_bytes().into());
        RawMessage { zmq_identities: vec![], jparts: parts.collect() }
    }

    #[test]
    fn what_a_client_leaves_out_has_a_default() {
        let message = parse(raw("history_request", r#"{"hist_access_type": "search"}"#)).unwrap();
        assert!(matches!(message.content, JupyterMessageContent::HistoryRequest(_)));
        let message = parse(raw("execute_request", r#"{"code": "1", "silent": null}"#)).unwrap();
        let JupyterMessageContent::ExecuteRequest(request) = message.content else { panic!() };
        assert!(request.store_history && request.stop_on_error && !request.silent);
    }

    #[test]
    fn a_request_that_cannot_be_read_can_still_be_answered() {
        let message = parse(raw("execute_request", r#"{"code": 1}"#)).unwrap();
        assert!(matches!(message.content, JupyterMessageContent::UnknownMessage(_)));
        assert_eq!(message.header.msg_type, "execute_request");
        assert!(parse(raw("execute_request", "{")).is_err());
    }
}
