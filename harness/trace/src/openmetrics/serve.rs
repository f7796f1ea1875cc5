//! The door at which a text is scraped: HTTP/1.1, one answer for each connection.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use iowq_harness::clock;
use iowq_harness::sync::{Arc, Mutex, PoisonError, thread};

/// How long a client may take to ask, and to take the answer: others wait meanwhile.
const CLIENT_MAX: Duration = Duration::from_secs(2);
/// Bytes of a request that are read.
const REQUEST_BYTES_MAX: usize = 8 << 10;

/// A door that serves the latest texts. It is open as long as the process lives.
pub struct Server {
    texts: Arc<Mutex<Texts>>,
    address: SocketAddr,
}

/// The same metrics as OpenMetrics, for those that ask for it, and as Prometheus' own text.
#[derive(Clone)]
struct Texts {
    openmetrics: String,
    prometheus: String,
}

impl Server {
    /// Opens a door, such as `127.0.0.1:9999`; with port 0 at any that is free.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub fn open(address: &str) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let nothing = Texts { openmetrics: "# EOF\n".to_owned(), prometheus: String::new() };
        let texts = Arc::new(Mutex::new(nothing));
        let shown = Arc::clone(&texts);
        thread::Builder::new().name("iowq-metrics".into()).spawn(move || {
            // One after the other: a scraper comes every few seconds.
            for client in listener.incoming().flatten() {
                let texts = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A client that is gone needs no answer.
                let _ = answer(client, &texts);
            }
        })?;
        Ok(Server { texts, address })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows other texts from now on.
    pub(super) fn show(&self, openmetrics: String, prometheus: String) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        *texts = Texts { openmetrics, prometheus };
    }
}

fn answer(mut client: TcpStream, texts: &Texts) -> io::Result<()> {
    client.set_write_timeout(Some(CLIENT_MAX))?;
    let request = request(&mut client)?;
    let mut words = request.split(|byte| *byte == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let name = b"application/openmetrics-text";
    let (kind, text) = if request.windows(name.len()).any(|part| part == name) {
        ("application/openmetrics-text; version=1.0.0", &texts.openmetrics)
    } else {
        ("text/plain; version=0.0.4", &texts.prometheus)
    };
    let (status, body) = match (method, path) {
        (b"GET" | b"HEAD", b"/metrics" | b"/") => ("200 OK", text.as_str()),
        (b"GET" | b"HEAD", _) => ("404 Not Found", "metrics are at /metrics\n"),
        _ => ("405 Method Not Allowed", "only GET is answered\n"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    if method != b"HEAD" {
        client.write_all(body.as_bytes())?;
    }
    client.flush()
}

/// The head of a request, or as much of it as is read.
fn request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    let end = clock::now().after(CLIENT_MAX);
    while bytes.len() < REQUEST_BYTES_MAX && !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = end.until(clock::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        client.set_read_timeout(Some(left))?;
        match client.read(&mut piece)? {
            0 => break,
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, request: &str) -> String {
        let mut client = TcpStream::connect(server.address()).expect("it is open");
        client.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn a_scraper_gets_the_latest_text_and_others_are_told_where_it_is() {
        let server = Server::open("127.0.0.1:0").expect("a free port");
        server.show("a 1\n# EOF\n".into(), "a 1\n".into());
        let found = ask(&server, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(found.starts_with("HTTP/1.1 200 OK\r\n") && found.ends_with("\r\n\r\na 1\n"));
        let accepts = "GET / HTTP/1.1\r\nAccept: application/openmetrics-text;q=0.5\r\n\r\n";
        assert!(ask(&server, accepts).ends_with("a 1\n# EOF\n"));
        assert!(ask(&server, "GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(&server, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert!(ask(&server, "HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
    }

    #[test]
    fn an_endless_request_is_answered_and_does_not_stay() {
        let server = Server::open("127.0.0.1:0").expect("a free port");
        let mut client = TcpStream::connect(server.address()).expect("it is open");
        // It may close the connection before all is written.
        let _ = client.write_all(&vec![b'x'; REQUEST_BYTES_MAX * 4]);
        assert!(ask(&server, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
    }

    #[test]
    fn a_client_that_asks_a_byte_at_a_time_does_not_keep_others_out() {
        let server = Server::open("127.0.0.1:0").expect("a free port");
        let mut slow = TcpStream::connect(server.address()).expect("it is open");
        slow.set_read_timeout(Some(CLIENT_MAX / 8)).expect("a time");
        // Each read waits for an answer that does not come, and the next byte follows.
        let gone = (0..80).find(|_| {
            let wrote = slow.write_all(b"x").is_err();
            let waits = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
            wrote || !slow.read(&mut [0]).as_ref().is_err_and(waits)
        });
        assert!(gone.is_some(), "its time is over while it still asks");
        assert!(ask(&server, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
    }
}
