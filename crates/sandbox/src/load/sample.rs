//! What is known of one metric in one minute, or in several.

/// Samples, as CloudWatch keeps them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// How many.
    pub(crate) count: f64,
    /// Their sum.
    pub(crate) sum: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Sample {
    /// One sample.
    pub(crate) fn one(value: f64) -> Self {
        Self { count: 1.0, sum: value, min: value, max: value }
    }

    /// The samples of several nodes that share a whole number between them.
    pub(crate) fn shared(total: f64, nodes: f64) -> Self {
        Self { count: nodes, sum: total, min: (total / nodes).floor(), max: (total / nodes).ceil() }
    }

    /// The samples of several nodes that each have the same.
    pub(crate) fn same(value: f64, nodes: f64) -> Self {
        Self { count: nodes, sum: value * nodes, min: value, max: value }
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The mean.
    pub(crate) fn average(self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }

    /// A percentile, from 0 to 100: the distribution is not kept, so half of it is between the smallest and the mean,
    /// and half between the mean and the largest.
    pub(crate) fn percentile(self, percent: f64) -> f64 {
        let (average, share) = (self.average(), percent / 50.0);
        if share <= 1.0 {
            self.min + (average - self.min) * share
        } else {
            average + (self.max - average) * (share - 1.0)
        }
    }
}
