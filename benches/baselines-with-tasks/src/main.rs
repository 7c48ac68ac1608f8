//! The functions of all baselines that run tasks, in one binary: which of them it is, the `Handler` of its template says
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>). So it is built once; what the others need lies
//! in the binary, and is not read.

mod handlers {
    pub(super) mod api;
    pub(super) mod background;
    pub(super) mod extension;
    pub(super) mod queue_worker;
}

use lambda_runtime::Error;
use shared::{aws, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    match aws::setting("_HANDLER")?.as_str() {
        "api" => handlers::api::run(&config).await,
        "background" => handlers::background::run(&config).await,
        "extension" => handlers::extension::run(&config).await,
        "queue-worker" => handlers::queue_worker::run(&config).await,
        other => Err(format!("_HANDLER: there is no handler `{other}`").into()),
    }
}
