//! A way from functions to an AWS service that can be cut.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What becomes of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// They reach the service.
    Forward,
    /// They are cut off.
    Cut,
    /// They are taken and never answered.
    Hold,
}

/// Forwards connections for as long as it is told to.
pub(crate) struct Proxy {
    pub(crate) url: String,
    target: Arc<OnceLock<String>>,
    mode: watch::Sender<Mode>,
    held: Arc<AtomicUsize>,
}

impl Proxy {
    /// One that forwards to an address which is given later.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            target: Arc::default(),
            mode: watch::Sender::new(Mode::Forward),
            held: Arc::default(),
        };
        let (target, mode, held) = (
            Arc::clone(&proxy.target),
            proxy.mode.subscribe(),
            Arc::clone(&proxy.held),
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let target = target.get().cloned().unwrap_or_default();
                tokio::spawn(serve(stream, target, mode.clone(), Arc::clone(&held)));
            }
        });
        proxy
    }

    /// The URL of the service.
    pub(crate) fn forward_to(&self, url: &str) {
        self.target.set(url.replace("http://", "")).unwrap();
    }

    /// From now on, for open connections too.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many requests were taken and not answered.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    target: String,
    mut mode: watch::Receiver<Mode>,
    held: Arc<AtomicUsize>,
) {
    let now = *mode.borrow_and_update();
    match now {
        Mode::Cut => {}
        Mode::Forward => {
            let Ok(mut service) = TcpStream::connect(target).await else {
                return;
            };
            tokio::select! {
                _ = copy_bidirectional(&mut stream, &mut service) => {}
                _ = mode.changed() => {}
            }
        }
        Mode::Hold => {
            let _ = stream.read(&mut [0; 4096]).await;
            held.fetch_add(1, Ordering::SeqCst);
            let _ = mode.changed().await;
        }
    }
}
