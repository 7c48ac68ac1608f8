//! A client of the Extensions API, as far as an internal extension needs one
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>).

use http_body_util::BodyExt as _;
use lambda_http::http::{HeaderValue, Request, Response};
use lambda_runtime::Error;
use lambda_runtime_api_client::{PooledClient, body::Body};

const REGISTER: &str = "/2020-01-01/extension/register";
const NEXT: &str = "/2020-01-01/extension/event/next";

/// What an extension calls itself at its registration.
const NAME: &str = "Lambda-Extension-Name";
/// How it is known from then on.
const IDENTIFIER: &str = "Lambda-Extension-Identifier";

/// An extension that is registered for invocations. There is nothing else that an internal one can be registered for.
#[derive(Debug)]
pub struct Extension {
    client: PooledClient,
    identifier: HeaderValue,
}

impl Extension {
    /// Registers it. Init ends when the runtime and the extension ask for their first event: this has to come before.
    ///
    /// # Errors
    ///
    /// Lambda refuses it, or cannot be reached.
    pub async fn register(name: &str) -> Result<Self, Error> {
        let client = PooledClient::builder().build();
        let request = Request::post(REGISTER)
            .header(NAME, name)
            .body(Body::from(r#"{"events":["INVOKE"]}"#))?;
        let response = successful(client.call(request).await?)?;
        let identifier = response.headers().get(IDENTIFIER).cloned();
        Ok(Self {
            client,
            identifier: identifier.ok_or("the registration has no identifier")?,
        })
    }

    /// Says that it is done with the invocation before, which ends with that, and waits for the next one.
    ///
    /// # Errors
    ///
    /// Lambda refuses it, or cannot be reached.
    pub async fn next(&self) -> Result<(), Error> {
        let request = Request::get(NEXT)
            .header(IDENTIFIER, &self.identifier)
            .body(Body::empty())?;
        // Read to its end, so that the connection can be used again.
        successful(self.client.call(request).await?)?
            .into_body()
            .collect()
            .await?;
        Ok(())
    }
}

fn successful<B>(response: Response<B>) -> Result<Response<B>, Error> {
    if response.status().is_success() {
        return Ok(response);
    }
    Err(format!("the Extensions API answered {}", response.status()).into())
}
