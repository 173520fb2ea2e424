extension Array where Element: Sendable {
    /// Transforms all elements, a number of them at once, and gives the results in their order.
    /// - Parameter width: how many at once; at least one is.
    func map<Result: Sendable>(
        atOnce width: Int, _ transform: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var found = [Result?](repeating: nil, count: count)
            for (index, element) in enumerated() {
                if index >= Swift.max(1, width), let (done, result) = try await group.next() { found[done] = result }
                group.addTask { (index, try await transform(element)) }
            }
            for try await (done, result) in group { found[done] = result }
            return found.compactMap { $0 }
        }
    }
}
