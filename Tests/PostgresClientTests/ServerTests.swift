import TestSupport
import Testing

/// Tests with real servers. One at a time: they measure how fast things end, and a server's start is heavy.
@Suite(.serialized, .onOwnThreads) struct ServerTests {}

/// Runs a test where it may block, as the engine runs the client, and where no other test's blocking holds it up.
struct OnThreadsTrait: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await TestSupport.onThreads { try await function() }
    }
}

extension Trait where Self == OnThreadsTrait {
    static var onOwnThreads: OnThreadsTrait { OnThreadsTrait() }
}
