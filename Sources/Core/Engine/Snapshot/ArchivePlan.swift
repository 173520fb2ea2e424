package import BackupAPI

/// Where the frames of one archive stand: pure arithmetic over the index, checked once.
package struct ArchivePlan: Sendable {
    /// Neighbouring frames of one volume.
    package struct Run: Sendable, Hashable {
        package var volume: Int
        package var frames: Range<Int>
    }

    package let record: BackupRecord
    package let archive: BackupIndex.Archive
    /// Frames that a reading may pass over in vain.
    private static let smallGap = 2
    /// Offset of each frame in its volume.
    private let offsets: [Int]

    /// - Throws: `.indexDamaged` when frames, volumes and sizes do not fit each other.
    package init(record: BackupRecord, archive: BackupIndex.Archive) throws(EngineError) {
        self.record = record
        self.archive = archive
        let perVolume = record.frames.framesPerVolume
        let frameByteCount = record.frames.frameByteCount
        guard (1...(64 << 20)).contains(frameByteCount), (1...(1 << 30)).contains(perVolume) else {
            throw EngineError(
                .recordDamaged, "'\(record.label)' has volumes of \(perVolume) frames of \(frameByteCount) bytes")
        }
        // A codec's header is small (docs/FORMAT.md); a forged index must not make a reader allocate gigabytes.
        guard archive.headerByteCount <= 4096 else {
            throw EngineError(.indexDamaged, "the header of '\(archive.name)' is \(archive.headerByteCount) bytes")
        }
        let count = archive.frames.count
        guard count == max(1, (archive.plainByteCount + frameByteCount - 1) / frameByteCount),
            archive.volumes.count == (count + perVolume - 1) / perVolume
        else { throw EngineError(.indexDamaged, "frames and volumes of '\(archive.name)' do not fit its size") }
        var offsets: [Int] = []
        offsets.reserveCapacity(count)
        var offset = 0
        for (number, frame) in archive.frames.enumerated() {
            if number % perVolume == 0 { offset = archive.headerByteCount }
            offsets.append(offset)
            offset += Int(frame.byteCount)
            let isLast = number == count - 1 || (number + 1) % perVolume == 0
            if isLast, archive.volumes[number / perVolume].bytes != offset {
                throw EngineError(
                    .indexDamaged, "the size of '\(archive.volumes[number / perVolume].path)' does not fit")
            }
        }
        self.offsets = offsets
    }

    package var largestFrameByteCount: Int { archive.frames.reduce(0) { max($0, Int($1.byteCount)) } }

    package func volume(of number: Int) -> Int { number / record.frames.framesPerVolume }

    package func offset(of number: Int) -> Int { offsets[number] }

    package func byteCount(of number: Int) -> Int { Int(archive.frames[number].byteCount) }

    package func plainByteCount(of number: Int) -> Int {
        min(record.frames.frameByteCount, archive.plainByteCount - number * record.frames.frameByteCount)
    }

    package func isLastOfVolume(_ number: Int) -> Bool {
        number == archive.frames.count - 1 || (number + 1) % record.frames.framesPerVolume == 0
    }

    package func position(of number: Int) -> FramePosition {
        FramePosition(index: number % record.frames.framesPerVolume, isLast: isLastOfVolume(number))
    }

    /// A volume's path below the backup's folder.
    package func path(volume: Int) -> String { archive.volumes[volume].path }

    package func key(volume: Int) throws(StorageError) -> ObjectKey {
        try Layout.object(record.server, record.label, path(volume: volume))
    }

    /// What the codecs bind a volume to.
    package func identity(volume: Int) -> ObjectIdentity { record.identity(path: path(volume: volume)) }

    /// The frames that hold these plain bytes.
    package func frames(holding range: Range<Int>) -> Range<Int> {
        let size = record.frames.frameByteCount
        return range.lowerBound / size..<(range.upperBound + size - 1) / size
    }

    /// Joins ascending frame numbers to runs. To read over a small gap costs less than to begin another reading, most of all
    /// where each is a request over a network; so a run may hold frames that are not wanted.
    package func runs(of wanted: [Int]) -> [Run] {
        var runs: [Run] = []
        for number in wanted {
            let volume = volume(of: number)
            if let last = runs.last, last.volume == volume, number - last.frames.upperBound <= ArchivePlan.smallGap {
                runs[runs.count - 1].frames = last.frames.lowerBound..<number + 1
            } else {
                runs.append(Run(volume: volume, frames: number..<number + 1))
            }
        }
        return runs
    }

    /// The error for a damaged frame, naming the object and the backup.
    package func damage(of number: Int, _ words: String) -> EngineError {
        let offset = offset(of: number)
        return EngineError(
            .objectDamaged,
            "'\(path(volume: volume(of: number)))' of \(record.label) at bytes \(offset)–\(offset + byteCount(of: number) - 1): \(words)"
        )
    }
}

extension BackupRecord {
    /// What the codecs bind an object of this backup to.
    package func identity(path: String) -> ObjectIdentity {
        ObjectIdentity(
            repository: id, key: Layout.backupPrefix(server, label) + path, chain: chainName,
            frameByteCount: frames.frameByteCount)
    }
}
