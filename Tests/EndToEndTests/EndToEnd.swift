import Testing

/// The built programs against real PostgreSQL clusters. One after another: several of them measure how long something takes.
@Suite(.serialized) struct EndToEnd {}
