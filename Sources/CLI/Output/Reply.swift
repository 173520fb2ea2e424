import BackupEngine

/// What a command answers: always the four parts Header, Outcome, Request and Response.
package struct Reply: Sendable, Hashable {
    /// How it ended.
    package enum Outcome: Sendable, Hashable {
        /// Done, after so many seconds.
        case done(seconds: Int)
        /// Not done, or not wholly: the error's stable code.
        case failed(code: String)
    }

    /// The command.
    package var command: CommandName
    /// The version that answers.
    package var clientVersion: String
    /// When, in seconds since 1970.
    package var unixSeconds: Int
    /// How it ended.
    package var outcome: Outcome
    /// What was asked for.
    package var request: [String: OutputValue]
    /// The answer.
    package var response: [String: OutputValue]

    /// Makes a reply.
    package init(
        command: CommandName, clientVersion: String, unixSeconds: Int, outcome: Outcome,
        request: [String: OutputValue], response: [String: OutputValue]
    ) {
        self.command = command
        self.clientVersion = clientVersion
        self.unixSeconds = unixSeconds
        self.outcome = outcome
        self.request = request
        self.response = response
    }

    /// The reply in a format, ended by a newline.
    package func render(_ format: OutputFormat) -> String {
        let tree = tree(format)
        return switch format {
        case .text: LayoutRenderer(isTranslated: true).render(tree)
        case .raw: LayoutRenderer(isTranslated: false).render(tree)
        case .json: JSONRenderer.render(.object(tree))
        }
    }

    private func tree(_ format: OutputFormat) -> [String: OutputValue] {
        [
            "Header": .object([
                "ClientVersion": .string(clientVersion), "Command": .command(command),
                "Output": .named(format.rawValue, number: format.number),
                "Timestamp": .string(CalendarTime(secondsSince1970: unixSeconds).compact),
            ]),
            "Outcome": .object(outcomeFields), "Request": .object(request), "Response": .object(response),
        ]
    }

    private var outcomeFields: [String: OutputValue] {
        switch outcome {
        case .done(let seconds): ["Status": .bool(true), "Time": .elapsed(seconds: seconds)]
        case .failed(let code):
            ["Status": .bool(false), "Code": .string(code), "Error": .integer(ErrorNumbers.number(of: code))]
        }
    }
}
