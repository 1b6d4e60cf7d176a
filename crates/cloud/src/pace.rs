//! Our own pace, below AWS's limits of requests a second.
//!
//! The SDK retries what is throttled, but one budget for all of a client's retries ends that after about a
//! hundred in a row, whatever the number of attempts. A run that changes hundreds of functions therefore
//! keeps below the limits by itself and leaves room for others: Lambda takes 15 changes a second, EC2 refills
//! 5 a second (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>), and for IAM and RDS
//! nothing is published but people were throttled above 10 and 15.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use clock::Clock;

/// Calls that AWS counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Lambda, without reads of one function.
    Lambda,
    /// Reads of one function, which AWS counts apart.
    LambdaRead,
    /// Changes in EC2.
    Ec2,
    /// Reads in EC2.
    Ec2Read,
    /// IAM.
    Iam,
    /// RDS.
    Rds,
}

impl Family {
    const ALL: [Self; 6] = [Self::Lambda, Self::LambdaRead, Self::Ec2, Self::Ec2Read, Self::Iam, Self::Rds];

    /// How many requests may come at once, and how many a second after that, as long as AWS takes them.
    ///
    /// Lambda's is one below its limit: a run that changes hundreds of functions is as fast as AWS lets it be, and
    /// makes room as soon as someone else needs it.
    fn figures(self) -> (u32, u32) {
        match self {
            Self::Lambda => (5, 14),
            Self::LambdaRead => (20, 50),
            Self::Ec2 => (20, 4),
            Self::Ec2Read => (20, 15),
            Self::Iam => (8, 8),
            Self::Rds => (6, 10),
        }
    }

    /// Which family a signed request belongs to: the signature's scope names the service.
    fn of(request: &HttpRequest) -> Option<Self> {
        let signature = request.headers().get("authorization")?;
        match signature.split('/').nth(3)? {
            "lambda" => {
                let path = request.uri().split_once("/functions/").map(|(_, rest)| rest);
                let name = path.map(|rest| rest.split('?').next().unwrap_or_default());
                let one = name.is_some_and(|name| !name.is_empty() && !name.contains('/'));
                Some(if one && request.method() == "GET" { Self::LambdaRead } else { Self::Lambda })
            }
            "ec2" => {
                let read = request.body().bytes().is_some_and(|body| body.starts_with(b"Action=Describe"));
                Some(if read { Self::Ec2Read } else { Self::Ec2 })
            }
            "iam" => Some(Self::Iam),
            "rds" => Some(Self::Rds),
            _ => None,
        }
    }
}

/// What part of its rate a family keeps when AWS throttles it.
const KEPT: f64 = 0.7;
/// What part of its full rate a family never falls below.
const FLOOR: f64 = 0.1;
/// What part of its full rate a family gets back with each request that AWS takes.
const REGAINED: f64 = 0.005;

/// Where a family stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// When it may continue, on the run's clock; it advances with every request.
    next: Duration,
    /// Requests a second, at most the family's own figure: less while others use up AWS's limit.
    rate: f64,
}

/// When each family may continue, and how fast.
#[derive(Debug)]
struct Pace {
    clock: Clock,
    places: Mutex<[Place; Family::ALL.len()]>,
}

impl Pace {
    fn new(clock: Clock) -> Self {
        let next = clock.elapsed();
        let places = Family::ALL.map(|family| Place { next, rate: f64::from(family.figures().1) });
        Self { clock, places: Mutex::new(places) }
    }

    fn with<T>(&self, family: Family, change: impl FnOnce(&mut Place) -> T) -> Option<T> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get_mut(family as usize).map(change)
    }

    /// Takes the next place of a family, and returns how long it is until then.
    fn place(&self, family: Family) -> Duration {
        let (burst, _) = family.figures();
        let now = self.clock.elapsed();
        let wait = self.with(family, |place| {
            let step = Duration::from_secs(1).div_f64(place.rate);
            place.next = place.next.max(now) + step;
            place.next.saturating_sub(now).saturating_sub(step * burst)
        });
        wait.unwrap_or_default()
    }

    /// AWS takes less than we thought, since others call too: the family rests, and continues more slowly.
    fn throttled(&self, family: Family) {
        let full = f64::from(family.figures().1);
        self.with(family, |place| {
            place.next += Duration::from_secs(1);
            place.rate = (place.rate * KEPT).max(full * FLOOR);
        });
    }

    /// AWS took a request: what was given up comes back little by little.
    fn taken(&self, family: Family) {
        let full = f64::from(family.figures().1);
        self.with(family, |place| place.rate = (place.rate + full * REGAINED).min(full));
    }
}

/// An HTTP client that waits its turn.
#[derive(Debug)]
struct Paced {
    inner: SharedHttpClient,
    pace: Arc<Pace>,
}

/// Makes an HTTP client keep our pace.
pub(super) fn paced(inner: SharedHttpClient, clock: &Clock) -> SharedHttpClient {
    SharedHttpClient::new(Paced { inner, pace: Arc::new(Pace::new(clock.clone())) })
}

impl HttpClient for Paced {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, parts);
        SharedHttpConnector::new(Connector { inner, pace: Arc::clone(&self.pace) })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    pace: Arc<Pace>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(family) = Family::of(&request) else { return self.inner.call(request) };
        let (inner, pace) = (self.inner.clone(), Arc::clone(&self.pace));
        HttpConnectorFuture::new(async move {
            let wait = pace.place(family);
            if !wait.is_zero() {
                pace.clock.sleep(wait).await;
            }
            let answer = inner.call(request).await;
            match &answer {
                Ok(answer) if matches!(answer.status().as_u16(), 429 | 503) => pace.throttled(family),
                Ok(_) => pace.taken(family),
                Err(_) => {}
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(method: &str, uri: &str, service: &str, body: &str) -> HttpRequest {
        let signature = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/{service}/aws4_request, …");
        let request = http::Request::builder().method(method).uri(uri).header("authorization", signature);
        request.body(body.to_owned().into()).unwrap().try_into().unwrap()
    }

    #[test]
    fn reads_of_one_function_and_reads_in_ec2_are_counted_apart() {
        let functions = "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/";
        let family = |method, path: &str| Family::of(&signed(method, &format!("{functions}{path}"), "lambda", ""));
        assert_eq!(family("GET", "app"), Some(Family::LambdaRead));
        assert_eq!(family("GET", "app?Qualifier=1"), Some(Family::LambdaRead));
        assert_eq!(family("GET", "?MaxItems=50"), Some(Family::Lambda));
        assert_eq!(family("PUT", "app/configuration"), Some(Family::Lambda));
        assert_eq!(family("GET", "app/aliases"), Some(Family::Lambda));
        let ec2 = |body| Family::of(&signed("POST", "https://ec2.amazonaws.com/", "ec2", body));
        assert_eq!(ec2("Action=DescribeSubnets&Version=2016-11-15"), Some(Family::Ec2Read));
        assert_eq!(ec2("Action=CreateSecurityGroup"), Some(Family::Ec2));
        assert_eq!(Family::of(&signed("POST", "https://sts.amazonaws.com/", "sts", "")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_family_has_a_burst_and_then_its_rate_and_rests_when_throttled() {
        let pace = Pace::new(Clock::real());
        let waits: Vec<u128> = (0..8).map(|_| pace.place(Family::Lambda).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 71, 142, 214]);
        assert_eq!(pace.place(Family::Iam), Duration::ZERO);
        pace.throttled(Family::Lambda);
        // A second's rest, and slower steps than before.
        assert!(pace.place(Family::Lambda).as_millis() > 1_100);
        let rate = |pace: &Pace| pace.with(Family::Lambda, |place| place.rate).unwrap();
        assert!((rate(&pace) - 9.8).abs() < 0.01, "{}", rate(&pace));
        for _ in 0..1_000 {
            pace.throttled(Family::Lambda);
        }
        assert!(rate(&pace) > 1.0, "it never stops altogether");
        for _ in 0..1_000 {
            pace.taken(Family::Lambda);
        }
        assert!((rate(&pace) - 14.0).abs() < 0.01, "{}", rate(&pace));
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(pace.place(Family::Lambda), Duration::ZERO);
    }
}
