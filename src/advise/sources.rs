//! What invokes the functions: their event sources, and what somebody states of them.
//!
//! How many shards a stream has, no service says that is asked here (`docs/decisions/0105-what-a-stream-allows.md`): it
//! is stated, or a gap that names the command.

use advice::demand::allowed_by;
use advice::facts::{Assumptions, EventSource, Source};
use advice::figure::{Fact, Origin};

use super::Question;
use super::base::Base;
use crate::cloud::lambda::Mapping;
use crate::shell::quoted;

/// The event sources of a function.
pub(super) fn of(base: &Base<'_>, question: &Question, function: &str) -> Fact<Vec<EventSource>> {
    let of = |mapping: &&Mapping| mapping.enabled && invoked(mapping) == Some(function);
    match &base.region.mappings {
        Err(refusal) => Fact::unknown(refusal.to_string()),
        Ok(all) => {
            let sources = all
                .iter()
                .filter(of)
                .map(|mapping| EventSource { uuid: mapping.uuid.clone(), source: source(mapping, question) });
            Fact::known(sources.collect(), Origin::Configured, "lambda:ListEventSourceMappings")
        }
    }
}

/// Whether anything else invokes it. Nothing shows that but the concurrency that was measured: more than its event
/// sources allow.
pub(super) fn other_invokers(function: &str, sources: &Fact<Vec<EventSource>>, peak: Option<u64>) -> Fact<bool> {
    let Some(sources) = sources.value() else { return Fact::unknown("its event sources could not be read") };
    if sources.is_empty() {
        return Fact::known(true, Origin::Derived, "it has no event source mapping, so something else invokes it");
    }
    let most = allowed_by(sources, &Assumptions::default()).and_then(advice::figure::Amount::high);
    match (peak, most) {
        (Some(peak), Some(most)) if peak > most => Fact::unknown(format!(
            "{peak} ran at a time, and its event sources allow {most}: they allowed more until lately, or something else \
             invokes it; state how many others run at a time, 0 for none, with --concurrency {}=N",
            quoted(function)
        )),
        _ => Fact::known(false, Origin::Assumed, "it has an event source mapping; direct invocations are not visible"),
    }
}

/// What a mapping reads from, by the service in its ARN.
fn source(mapping: &Mapping, question: &Question) -> Source {
    let arn = mapping.source.as_deref();
    let service = arn.and_then(|arn| arn.split(':').nth(2)).unwrap_or("kafka");
    let name = name(mapping).unwrap_or_default();
    let count = |why: String| match question.shards.get(name) {
        Some(count) => Fact::known(*count, Origin::Stated, "--shards"),
        None => Fact::unknown(format!("{why}; state it with --shards {}=N", quoted(name))),
    };
    match service {
        "sqs" => Source::Sqs { maximum_concurrency: mapping.maximum_concurrency },
        "kinesis" => Source::Stream {
            shards: count(format!(
                "the number is shown by: aws kinesis describe-stream-summary --stream-name {} --query \
                 StreamDescriptionSummary.OpenShardCount",
                quoted(name)
            )),
            parallelization: mapping.parallelization.unwrap_or(1),
        },
        "dynamodb" => Source::Stream {
            shards: count(format!(
                "the number is shown by: aws dynamodbstreams describe-stream --stream-arn {} --query \
                 'length(StreamDescription.Shards[?!SequenceNumberRange.EndingSequenceNumber])'",
                quoted(arn.unwrap_or_default())
            )),
            parallelization: mapping.parallelization.unwrap_or(1),
        },
        "kafka" => Source::Kafka { partitions: count("no call of AWS shows the partitions of a topic".to_owned()) },
        service => Source::Other { service: service.to_owned() },
    }
}

/// The name of the function that a mapping invokes, from its ARN.
fn invoked(mapping: &Mapping) -> Option<&str> {
    mapping.function.split(':').nth(6)
}

/// The name of a stream (`stream/NAME`, and `/consumer/…` of a consumer of its own), of a table with a stream
/// (`table/NAME/stream/…`), or of a topic.
fn name(mapping: &Mapping) -> Option<&str> {
    let resource = mapping.source.as_deref().and_then(|arn| arn.splitn(6, ':').nth(5));
    match resource.and_then(|resource| resource.split_once('/')) {
        Some(("stream" | "table", rest)) => rest.split('/').next(),
        _ => mapping.topics.first().map(String::as_str),
    }
}

/// The names of all event sources of these functions that `--shards` may name.
pub(super) fn names<'a>(base: &'a Base<'_>) -> impl Iterator<Item = &'a str> {
    let of =
        |mapping: &&Mapping| base.functions.iter().any(|function| invoked(mapping) == Some(function.name.as_str()));
    base.region.mappings.iter().flatten().filter(of).filter_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(source: Option<&str>, topics: &[&str]) -> Mapping {
        Mapping {
            uuid: String::new(),
            function: String::new(),
            source: source.map(str::to_owned),
            enabled: true,
            maximum_concurrency: None,
            parallelization: None,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        }
    }

    /// The forms of ARNs: Service Authorization Reference, "Resource types" of Kinesis, DynamoDB and MSK.
    #[test]
    fn an_event_source_is_named_as_people_name_it() {
        for (arn, topics, named) in [
            (Some("arn:aws:kinesis:eu-west-1:1:stream/orders"), vec![], Some("orders")),
            (Some("arn:aws:kinesis:eu-west-1:1:stream/orders/consumer/mine:1611111111"), vec![], Some("orders")),
            (Some("arn:aws:dynamodb:eu-west-1:1:table/carts/stream/2026-01-01T00:00:00.000"), vec![], Some("carts")),
            (Some("arn:aws:kafka:eu-west-1:1:cluster/main/0-1"), vec!["clicks"], Some("clicks")),
            (None, vec!["clicks"], Some("clicks")),
            (Some("arn:aws:sqs:eu-west-1:1:mail"), vec![], None),
        ] {
            assert_eq!(name(&mapping(arn, &topics)), named, "{arn:?}");
        }
    }
}
