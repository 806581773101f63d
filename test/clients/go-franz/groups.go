// Level 2, consumer groups, run once for the classic protocol and once for the consumer protocol (KIP-848):
// commits and what a group resumes from, partitions shared by two members, static members, administration of groups.
package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type groupChecks struct {
	bench    *bench
	protocol string
}

func groups(report *report, bench *bench) {
	var all []check
	for _, protocol := range []string{"classic", "consumer"} {
		g := groupChecks{bench, protocol}
		ending := ", " + protocol + " protocol"
		all = append(all,
			check{"a group reads every record once and resumes from its commit" + ending, g.resumes},
			check{"two members share the partitions, and the one that stays takes over" + ending, g.shares},
			check{"committed offsets are read back with their metadata, altered and deleted" + ending, g.commits},
			check{"a group is listed and described, kept while it has a member, and deleted when empty" + ending, g.administration},
			check{"a static member that comes back finds its partitions without a rebalance" + ending, g.staticMember},
			check{"the partitions of a member that dies go to the other when its session is over" + ending, g.dies},
			check{"a member keeps what it goes on with while another joins" + ending, g.cooperates},
		)
		if protocol == "classic" {
			all = append(all, check{"two members share the partitions by an eager assignor, and the one that stays takes over", g.sharesEagerly})
		}
	}
	report.together(all...)
}

// member is a client in a group that keeps track of what it is assigned.
type member struct {
	*kgo.Client
	mutex    sync.Mutex
	assigned map[int32]bool
	revoked  []int32 // all that was ever taken from it
}

func (g groupChecks) join(group, topic string, options ...kgo.Opt) *member {
	m := &member{assigned: map[int32]bool{}}
	note := func(assigned bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range partitions[topic] {
				if assigned {
					m.assigned[partition] = true
				} else {
					delete(m.assigned, partition)
					m.revoked = append(m.revoked, partition)
				}
			}
		}
	}
	all := []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ClientID(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(time.Second),
		kgo.OnPartitionsAssigned(note(true)), kgo.OnPartitionsRevoked(note(false)), kgo.OnPartitionsLost(note(false)),
	}
	if g.protocol == "consumer" {
		// The broker assigns; the client's balancer only names the assignor on the broker, "uniform" for this one.
		all = append(all, kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	}
	m.Client = g.bench.newClient(append(all, options...)...)
	return m
}

func (m *member) partitions() []int32 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return slices.Sorted(maps.Keys(m.assigned))
}

// pollUntil polls members by turns until a condition holds, and gives what they read meanwhile.
func pollUntil(what string, members []*member, holds func() bool) []*kgo.Record {
	var found []*kgo.Record
	end := time.Now().Add(2 * wait)
	for !holds() {
		expect(time.Now().Before(end), "after %v still not: %s", 2*wait, what)
		for _, each := range members {
			found = append(found, each.take(50*time.Millisecond)...)
		}
	}
	return found
}

func (m *member) take(bound time.Duration) []*kgo.Record {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	return m.PollFetches(ctx).Records()
}

// expectEach: each of three partitions gave exactly the records from (inclusive) to (exclusive), in order.
func expectEach(records []*kgo.Record, from, to int) {
	for partition := range int32(3) {
		found := ofPartition(records, partition)
		equal(to-from, len(found), "the number of records of partition %d", partition)
		expectRun(found, int64(from), from)
	}
}

func ofPartition(records []*kgo.Record, partition int32) []*kgo.Record {
	return slices.DeleteFunc(slices.Clone(records), func(each *kgo.Record) bool { return each.Partition != partition })
}

func (g groupChecks) resumes() {
	topic, group := g.bench.topic(g.protocol+"-resume", 3), g.bench.name("%s-resume", g.protocol)
	for partition := range int32(3) {
		g.bench.fill(topic, partition, 300)
	}
	read := func(count int, commit bool) []*kgo.Record {
		m := g.join(group, topic)
		defer m.Close()
		found := poll(m.Client, count)
		if commit {
			ctx, cancel := bounded()
			defer cancel()
			done(m.CommitUncommittedOffsets(ctx), "committing")
		}
		return found
	}
	expectEach(read(900, true), 0, 300)
	producer := g.bench.newClient()
	defer producer.Close()
	for partition := range int32(3) {
		sendRun(producer, topic, partition, 300, 350)
	}
	expectEach(read(150, false), 300, 350)
	// The second one left without a commit, so the third starts where the first committed.
	expectEach(read(150, false), 300, 350)
}

// The library's own choice is the cooperative assignor.
func (g groupChecks) shares()        { g.share("share") }
func (g groupChecks) sharesEagerly() { g.share("share-eagerly", kgo.Balancers(kgo.RangeBalancer())) }

func (g groupChecks) share(what string, options ...kgo.Opt) {
	topic, group := g.bench.topic(g.protocol+"-"+what, 4), g.bench.name("%s-%s", g.protocol, what)
	first, second := g.join(group, topic, options...), g.join(group, topic, options...)
	defer second.Close()
	defer first.Close()
	both := []*member{first, second}
	early := pollUntil("both have two partitions", both, func() bool { return len(first.partitions()) == 2 && len(second.partitions()) == 2 })
	equal(0, len(early), "the number of records read before any was sent")
	all := append(first.partitions(), second.partitions()...)
	slices.Sort(all)
	expect(slices.Equal([]int32{0, 1, 2, 3}, all), "the two have %v between them", all)

	for partition := range int32(4) {
		g.bench.fill(topic, partition, 100)
	}
	for _, each := range both {
		found := poll(each.Client, 200)
		for _, partition := range each.partitions() {
			own := ofPartition(found, partition)
			equal(100, len(own), "the number of records of partition %d", partition)
			expectRun(own, 0, 0)
		}
		ctx, cancel := bounded()
		done(each.CommitUncommittedOffsets(ctx), "committing")
		cancel()
	}
	first.Close()
	again := pollUntil("the one that stays has all", []*member{second}, func() bool { return len(second.partitions()) == 4 })
	equal(0, len(again), "the number of records read again after their commit")
	producer := g.bench.newClient()
	defer producer.Close()
	for partition := range int32(4) {
		sendRun(producer, topic, partition, 100, 110)
	}
	for _, each := range poll(second.Client, 40) {
		expect(each.Offset >= 100, "offset %d was read again after its commit", each.Offset)
	}
}

func (g groupChecks) commits() {
	topic, group := g.bench.topic(g.protocol+"-commits", 2), g.bench.name("%s-commits", g.protocol)
	g.bench.fill(topic, 0, 50)
	m := g.join(group, topic)
	poll(m.Client, 50)
	ctx, cancel := bounded()
	defer cancel()
	const note = "to here, ¾ of the way"
	noted := kgo.PreCommitFnContext(ctx, func(request *kmsg.OffsetCommitRequest) error {
		metadata := note
		request.Topics[0].Partitions[0].Metadata = &metadata
		return nil
	})
	done(m.CommitRecords(noted, &kgo.Record{Topic: topic, Partition: 0, Offset: 32}), "committing")
	m.Close()

	admin := g.bench.admin
	committed := func() kadm.OffsetResponses {
		found, err := admin.FetchOffsets(ctx, group)
		done(err, "fetching offsets")
		done(found.Error(), "fetching offsets")
		return found
	}
	found, ok := committed().Lookup(topic, 0)
	expect(ok, "the commit is missing")
	equal(33, found.At, "the committed offset")
	equal(note, found.Metadata, "the metadata")
	_, ok = committed().Lookup(topic, 1)
	expect(!ok, "a partition without a commit has one")

	// A group without members takes any offset from an administrator, and forgets one when told to.
	eventually("the group is empty", func() bool { return g.state(group) == "Empty" })
	var altered kadm.Offsets
	altered.AddOffset(topic, 0, 40, -1)
	altered.AddOffset(topic, 1, 0, -1)
	done(admin.CommitAllOffsets(ctx, group, altered), "altering offsets")
	found, _ = committed().Lookup(topic, 0)
	equal(40, found.At, "the altered offset")
	var partition kadm.TopicsSet
	partition.Add(topic, 1)
	deleted, err := admin.DeleteOffsets(ctx, group, partition)
	done(err, "deleting an offset")
	done(deleted.Error(), "deleting an offset")
	_, ok = committed().Lookup(topic, 1)
	expect(!ok, "a deleted offset is still there")
	again := g.join(group, topic)
	defer again.Close()
	expectRun(poll(again.Client, 10), 40, 40)
}

func (g groupChecks) administration() {
	topic, group := g.bench.topic(g.protocol+"-admin", 2), g.bench.name("%s-admin", g.protocol)
	ctx, cancel := context.WithTimeout(context.Background(), 2*wait)
	defer cancel()
	admin := g.bench.admin
	m := g.join(group, topic)
	defer m.Close()
	pollUntil("the member has its partitions", []*member{m}, func() bool { return len(m.partitions()) == 2 })
	eventually("the group is stable", func() bool { return g.state(group) == "Stable" })
	if g.protocol == "consumer" {
		described, err := admin.DescribeConsumerGroups(ctx, group)
		done(err, "ConsumerGroupDescribe")
		found := described[group]
		equal(1, len(found.Members), "the number of members")
		equal(group, found.Members[0].ClientID, "the member's client id")
		equal(2, len(found.Members[0].Assignment[topic]), "the number of partitions assigned")
	} else {
		described, err := admin.DescribeGroups(ctx, group)
		done(err, "DescribeGroups")
		found := described[group]
		equal("consumer", found.ProtocolType, "the protocol type")
		equal(1, len(found.Members), "the number of members")
		equal(group, found.Members[0].ClientID, "the member's client id")
		assigned := found.AssignedPartitions()
		equal(2, len(assigned[topic]), "the number of partitions assigned")
	}
	listed, err := admin.ListGroupsByType(ctx, []string{g.protocol})
	done(err, "ListGroups")
	_, ok := listed[group]
	expect(ok, "the group is not listed with its type")
	_, err = admin.DeleteGroup(ctx, group)
	refused(kerr.NonEmptyGroup, err, "deleting a group with a member")
	m.Close()
	eventually("the group is empty", func() bool { return g.state(group) == "Empty" })
	_, err = admin.DeleteGroup(ctx, group)
	done(err, "deleting the empty group")
	_, err = admin.DeleteGroup(ctx, group)
	refused(kerr.GroupIDNotFound, err, "deleting it again")
}

// state asks with the call of the protocol: Kafka answers each of them for its own kind of group alone.
func (g groupChecks) state(group string) string {
	ctx, cancel := bounded()
	defer cancel()
	if g.protocol == "consumer" {
		described, err := g.bench.admin.DescribeConsumerGroups(ctx, group)
		done(err, "ConsumerGroupDescribe")
		return described[group].State
	}
	described, err := g.bench.admin.DescribeGroups(ctx, group)
	done(err, "DescribeGroups")
	return described[group].State
}

func (g groupChecks) staticMember() {
	topic, group := g.bench.topic(g.protocol+"-static", 4), g.bench.name("%s-static", g.protocol)
	stays, leaves := g.join(group, topic, kgo.InstanceID("stays")), g.join(group, topic, kgo.InstanceID("leaves"))
	defer stays.Close()
	defer leaves.Close()
	pollUntil("both have two partitions", []*member{stays, leaves}, func() bool { return len(stays.partitions()) == 2 && len(leaves.partitions()) == 2 })
	kept, before := stays.partitions(), leaves.partitions()
	id, _ := leaves.GroupMetadata()
	leaves.Close()
	if g.protocol == "consumer" {
		// The library's own last heartbeat lacks the instance id. Kafka refuses it as invalid, and would refuse the next
		// member of that instance id until the session times out. So the check leaves in its stead.
		leave := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		instance := "leaves"
		leave.Group, leave.MemberID, leave.InstanceID, leave.MemberEpoch = group, id, &instance, -2
		done(errorOf(request(g.bench, leave).ErrorCode), "leaving for a while")
	}
	again := g.join(group, topic, kgo.InstanceID("leaves"))
	defer again.Close()
	pollUntil("the one that came back has partitions", []*member{stays, again}, func() bool { return len(again.partitions()) > 0 })
	equal(fmt.Sprint(before), fmt.Sprint(again.partitions()), "what the one that came back has")
	equal(fmt.Sprint(kept), fmt.Sprint(stays.partitions()), "what the other has")
}

// wires are the connections of a client that can be cut all at once, and then no others are made: to the broker it is dead.
type wires struct {
	mutex sync.Mutex
	cut   bool
	all   []net.Conn
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	made, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.cut {
		made.Close()
		return nil, net.ErrClosed
	}
	w.all = append(w.all, made)
	return made, nil
}

func (w *wires) die() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.cut = true
	for _, each := range w.all {
		each.Close()
	}
}

func (g groupChecks) dies() {
	topic, group := g.bench.topic(g.protocol+"-dies", 4), g.bench.name("%s-dies", g.protocol)
	var options []kgo.Opt
	if g.protocol == "classic" { // by the consumer protocol the broker says how long a session is
		options = append(options, kgo.SessionTimeout(6*time.Second))
	}
	wires := &wires{}
	dying, stays := g.join(group, topic, append(options, kgo.Dialer(wires.dial))...), g.join(group, topic, options...)
	defer stays.Close()
	pollUntil("both have two partitions", []*member{dying, stays}, func() bool { return len(dying.partitions()) == 2 && len(stays.partitions()) == 2 })
	wires.die()
	defer dying.Close()
	pollUntil("the one that stays has all", []*member{stays}, func() bool { return len(stays.partitions()) == 4 })
	for partition := range int32(4) {
		g.bench.fill(topic, partition, 10)
	}
	found := poll(stays.Client, 40)
	for partition := range int32(4) {
		expectRun(ofPartition(found, partition), 0, 0)
	}
}

func (g groupChecks) cooperates() {
	topic, group := g.bench.topic(g.protocol+"-cooperates", 4), g.bench.name("%s-cooperates", g.protocol)
	first := g.join(group, topic)
	defer first.Close()
	pollUntil("the first has all partitions", []*member{first}, func() bool { return len(first.partitions()) == 4 })
	second := g.join(group, topic)
	defer second.Close()
	pollUntil("both have two partitions", []*member{first, second}, func() bool { return len(first.partitions()) == 2 && len(second.partitions()) == 2 })
	first.mutex.Lock()
	taken := slices.Clone(first.revoked)
	first.mutex.Unlock()
	slices.Sort(taken)
	equal(fmt.Sprint(second.partitions()), fmt.Sprint(taken), "all that was taken from the first")
}
